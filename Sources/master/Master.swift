@main
enum Master {
    static func main() {}
}
