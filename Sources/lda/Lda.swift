@main
enum Lda {
    static func main() {}
}
