@main
enum Auth {
    static func main() {}
}
