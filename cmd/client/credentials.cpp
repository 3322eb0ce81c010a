#include "cmd/client/credentials.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "cmd/cli/command.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

namespace cmd {

namespace {

/// Reads the words of a netrc file, and counts its lines.
class NetrcWords {
public:
    NetrcWords(std::string_view text, const std::string& file)
        : text_(text)
        , file_(file) {}

    /// nullopt at the end.
    std::optional<std::string> next() {
        skip_blank();
        if (text_.empty()) return std::nullopt;
        if (text_.front() == '"') return quoted();
        const auto end = std::min(text_.find_first_of(" \t\r\n"), text_.size());
        std::string word(text_.substr(0, end));
        text_.remove_prefix(end);
        return word;
    }
    std::string value_of(std::string_view key) {
        if (auto word = next()) return *word;
        fail(fmt::format("{} has no value", key));
    }
    /// A macro ends with an empty line.
    void skip_macro() {
        bool blank = false;
        while (!text_.empty()) {
            const bool line_end = text_.front() == '\n';
            if (line_end && blank) return;
            if (line_end) blank = true;
            else if (text_.front() != '\r') blank = false;
            take();
        }
    }
    [[noreturn]] void fail(const std::string& why) const {
        throw sse::Error(sse::Errc::bad_input, fmt::format("{}:{}: {}", file_, line_, why));
    }

private:
    void take() {
        if (text_.front() == '\n') ++line_;
        text_.remove_prefix(1);
    }
    void skip_blank() {
        while (!text_.empty()) {
            if (text_.front() == '#') {
                text_.remove_prefix(std::min(text_.find('\n'), text_.size()));
            } else if (std::string_view(" \t\r\n").find(text_.front()) != std::string_view::npos) {
                take();
            } else {
                return;
            }
        }
    }
    std::string quoted() {
        std::string word;
        take();
        while (!text_.empty() && text_.front() != '"') {
            char c = text_.front();
            take();
            if (c == '\\' && !text_.empty()) {
                c = text_.front();
                take();
                c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
            }
            word.push_back(c);
        }
        if (text_.empty()) fail("a quote is not closed");
        take();
        return word;
    }

    std::string_view text_;
    const std::string& file_;
    int line_ = 1;
};

bool same_host(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

/// Switches off echo on a terminal. Ctrl-C is read as a character, because a signal would end the
/// program before echo is switched on again.
class SilentTerminal {
public:
    explicit SilentTerminal(int fd)
        : fd_(fd) {
        ::tcgetattr(fd_, &before_);
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        silent.c_cc[VEOL] =
            before_.c_cc[VINTR]; // otherwise, they would be read only at the end of the line
        silent.c_cc[VEOL2] = before_.c_cc[VQUIT];
        ::tcsetattr(fd_, TCSAFLUSH, &silent);
    }
    ~SilentTerminal() { ::tcsetattr(fd_, TCSAFLUSH, &before_); }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    bool breaks_off(char c) const {
        return c == static_cast<char>(before_.c_cc[VINTR]) ||
               c == static_cast<char>(before_.c_cc[VQUIT]);
    }

private:
    int fd_;
    termios before_{};
};

void say_on(int fd, std::string_view text) {
    [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

} // namespace

std::optional<Login> find_login(std::string_view netrc, const std::string& file,
                                std::string_view host, std::string_view user) {
    NetrcWords words(netrc, file);
    std::optional<Login> login; // of the entry being read, if it is for the host
    bool named = false;
    const auto fits = [&] { return login && named && (user.empty() || login->user == user); };
    while (auto word = words.next()) {
        if (*word == "machine" || *word == "default") {
            if (fits()) return login;
            const bool ours = *word == "default" || same_host(words.value_of(*word), host);
            login = ours ? std::optional(Login{std::string(user), ""}) : std::nullopt;
            named = false;
        } else if (*word == "login") {
            auto value = words.value_of(*word);
            if (login) login->user = std::move(value), named = true;
        } else if (*word == "password") {
            auto value = words.value_of(*word);
            if (login) login->password = std::move(value), named = true;
        } else if (*word == "account") {
            words.value_of(*word);
        } else if (*word == "macdef") {
            words.skip_macro();
        } else {
            words.fail(
                fmt::format("\"{}\" is not a word of the netrc format", sse::printable(*word, 40)));
        }
    }
    return fits() ? login : std::nullopt;
}

std::string ask_password(const std::string& user) {
    const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        throw Failure(
            Exit::usage,
            fmt::format("-u {} has no password, and there is no terminal to read one from",
                        sse::printable(user, 100)),
            "use -u USER:PASSWORD, -u USER: for an empty password, or --netrc");
    }
    std::string password;
    bool broken_off = false;
    {
        const SilentTerminal terminal(fd);
        say_on(fd, fmt::format("Password for {}: ", sse::printable(user, 100)));
        char c = 0;
        while (true) {
            const auto got = ::read(fd, &c, 1);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0 || c == '\n') break;
            if (terminal.breaks_off(c)) broken_off = true;
            if (broken_off) break;
            password.push_back(c);
        }
        say_on(fd, "\n");
    }
    ::close(fd);
    if (broken_off) throw Failure(Exit::interrupted, "no password was given");
    return password;
}

} // namespace cmd
