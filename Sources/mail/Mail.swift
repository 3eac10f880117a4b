@main
enum Mail {
    static func main() {}
}
