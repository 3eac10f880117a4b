@main
enum Logd {
    static func main() {}
}
