@main
enum Anvil {
    static func main() {}
}
