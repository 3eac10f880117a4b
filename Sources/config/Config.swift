@main
enum Config {
    static func main() {}
}
