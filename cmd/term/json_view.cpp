#include "cmd/term/json_view.hpp"

#include "base/printable.hpp"
#include "cmd/term/columns.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

namespace cmd {

namespace {

/// A value or a key. The tokens of a container follow it, those of an object as keys and values in
/// turn.
struct Token {
    char kind;               ///< `{`, `[`, `"`, `0` for a number, `t` for true, false and null
    std::string_view text;   ///< empty for containers
    std::size_t next = 0;    ///< index of the first token after this one and its contents
    std::size_t columns = 0; ///< width if laid out on one line
};

/// A strict scanner for RFC 8259.
class Scanner {
public:
    explicit Scanner(std::string_view text)
        : text_(text) {}

    bool scan() {
        skip_blank();
        if (at_ == text_.size() || (text_[at_] != '{' && text_[at_] != '[')) return false;
        const bool valid = value(0);
        skip_blank();
        return valid && at_ == text_.size();
    }
    const std::vector<Token>& tokens() const { return tokens_; }

private:
    static constexpr int deepest = 200;

    bool take(char c) {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void skip_blank() {
        while (at_ < text_.size() &&
               std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }
    bool digits() {
        const auto from = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
        return at_ > from;
    }
    void add(char kind, std::size_t from) {
        const auto token = text_.substr(from, at_ - from);
        tokens_.push_back({kind, token, tokens_.size() + 1, columns_of(token)});
    }

    bool value(int depth) {
        if (at_ == text_.size() || depth == deepest) return false;
        switch (text_[at_]) {
        case '{':
        case '[': return container(depth);
        case '"': return string();
        case 't': return word("true");
        case 'f': return word("false");
        case 'n': return word("null");
        default: return number();
        }
    }
    bool word(std::string_view name) {
        if (text_.substr(at_, name.size()) != name) return false;
        at_ += name.size();
        add('t', at_ - name.size());
        return true;
    }
    bool number() {
        const auto from = at_;
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            if (!digits()) return false;
        }
        add('0', from);
        return true;
    }
    bool string() {
        const auto from = at_++;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
            if (text_[at_] == '\\' && !escape()) return false;
            ++at_;
        }
        if (!take('"')) return false;
        add('"', from);
        return true;
    }
    /// Leaves `at_` on the last character of the escape.
    bool escape() {
        if (++at_ == text_.size()) return false;
        if (text_[at_] != 'u')
            return std::string_view("\"\\/bfnrt").find(text_[at_]) != std::string_view::npos;
        for (int i = 0; i < 4; ++i) {
            if (++at_ == text_.size()) return false;
            if (std::string_view("0123456789abcdefABCDEF").find(text_[at_]) ==
                std::string_view::npos)
                return false;
        }
        return true;
    }
    bool container(int depth) {
        const char open = text_[at_++];
        const auto self = tokens_.size();
        tokens_.push_back({open, {}, 0, 2});
        std::size_t columns = 2;
        for (bool first = true;; first = false) {
            skip_blank();
            if (first && take(open == '{' ? '}' : ']')) break;
            if (open == '{') {
                if (at_ == text_.size() || text_[at_] != '"' || !string()) return false;
                columns += tokens_.back().columns + 2;
                skip_blank();
                if (!take(':')) return false;
                skip_blank();
            }
            const auto child = tokens_.size();
            if (!value(depth + 1)) return false;
            columns += tokens_[child].columns;
            skip_blank();
            if (take(open == '{' ? '}' : ']')) break;
            if (!take(',')) return false;
            columns += 2;
        }
        tokens_[self].next = tokens_.size();
        tokens_[self].columns = columns;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
};

class Layout {
public:
    Layout(const std::vector<Token>& tokens, std::size_t width, const Palette& palette,
           std::string& out)
        : tokens_(tokens)
        , width_(width)
        , palette_(palette)
        , out_(out) {}

    /// Appends the token at `at`. `indent` is that of its line, `used` the columns of the line
    /// before it, `level` the number of containers around it. `flat`: all on this line.
    void value(std::size_t at, std::size_t indent, std::size_t used, std::size_t level = 0,
               bool flat = false) {
        const auto& token = tokens_[at];
        if (token.kind != '{' && token.kind != '[') return scalar(token);
        flat = flat || used + token.columns <= width_ || token.next == at + 1 ||
               level == json_view_levels;
        const bool object = token.kind == '{';
        out_.push_back(token.kind);
        for (auto child = at + 1; child < token.next;) {
            if (!flat) out_.append("\n").append(indent + 2, ' ');
            std::size_t taken = indent + 2;
            if (object) {
                coloured(palette_.key, tokens_[child].text);
                out_.append(": ");
                taken += tokens_[child].columns + 2;
                ++child;
            }
            value(child, indent + 2, taken, level + 1, flat);
            child = tokens_[child].next;
            if (child < token.next) out_.append(flat ? ", " : ",");
        }
        if (!flat) out_.append("\n").append(indent, ' ');
        out_.push_back(object ? '}' : ']');
    }

private:
    void scalar(const Token& token) {
        coloured(token.kind == '"'   ? palette_.string
                 : token.kind == '0' ? palette_.number
                                     : palette_.word,
                 token.text);
    }
    void coloured(std::string_view colour, std::string_view text) {
        out_.append(colour);
        sse::append_printable(text, out_);
        if (!colour.empty()) out_.append(palette_.end);
    }

    const std::vector<Token>& tokens_;
    std::size_t width_;
    const Palette& palette_;
    std::string& out_;
};

/// The value of four hexadecimal digits at `at`; -1 if there are not four.
std::int32_t hex4(std::string_view text, std::size_t at) {
    std::uint32_t value = 0;
    if (at + 4 > text.size()) return -1;
    const auto end = text.data() + at + 4;
    const auto [stop, error] = std::from_chars(text.data() + at, end, value, 16);
    return error == std::errc() && stop == end ? static_cast<std::int32_t>(value) : -1;
}

std::string utf8_of(std::uint32_t code) {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
    const auto rest = [&](unsigned shift) { return byte(0x80U | (code >> shift & 0x3FU)); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0U | code >> 6U), rest(0)};
    if (code < 0x10000) return {byte(0xE0U | code >> 12U), rest(6), rest(0)};
    return {byte(0xF0U | code >> 18U), rest(12), rest(6), rest(0)};
}

/// Appends the character that the escape `\u....` at `at` stands for, a surrogate pair as one
/// character. Returns the length of the escape; 0, with `out` unchanged, if it is to stay: for a
/// quote, a backslash, a lone surrogate, or a character that is unsafe on a terminal.
std::size_t append_unescaped(std::string_view text, std::size_t at, std::string& out) {
    auto code = hex4(text, at + 2);
    std::size_t length = 6;
    if (code >= 0xD800 && code < 0xDC00 && text.substr(at + 6, 2) == "\\u") {
        const auto low = hex4(text, at + 8);
        if (low < 0xDC00 || low > 0xDFFF) return 0;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        length = 12;
    }
    if (code < 0x20 || code == '"' || code == '\\' || (code >= 0xD800 && code < 0xE000)) return 0;
    const auto character = utf8_of(static_cast<std::uint32_t>(code));
    if (sse::printable(character) != character) return 0;
    out.append(character);
    return length;
}

/// `text` with the `\u` escapes in its strings replaced by the characters.
std::string unescaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool in_string = false;
    for (std::size_t at = 0; at < text.size();) {
        if (in_string && text[at] == '\\') {
            auto length = text.substr(at + 1, 1) == "u" ? append_unescaped(text, at, out) : 0;
            if (length == 0) {
                length = 2;
                out.append(text.substr(at, length));
            }
            at += length;
            continue;
        }
        if (text[at] == '"') in_string = !in_string;
        out.push_back(text[at++]);
    }
    return out;
}

} // namespace

bool append_json_view(std::string_view text, std::size_t indent, std::size_t width,
                      const Palette& palette, std::string& out) {
    std::string readable;
    if (text.find("\\u") != text.npos) {
        readable = unescaped(text);
        text = readable;
    }
    Scanner scanner(text);
    if (!scanner.scan()) return false;
    Layout(scanner.tokens(), width, palette, out).value(0, indent, indent);
    return true;
}

} // namespace cmd
