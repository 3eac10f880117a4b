@main
enum Adm {
    static func main() {}
}
