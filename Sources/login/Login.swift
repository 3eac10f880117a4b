@main
enum Login {
    static func main() {}
}
