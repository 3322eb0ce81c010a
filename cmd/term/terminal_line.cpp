#include "cmd/term/terminal_line.hpp"

#include "cmd/term/columns.hpp"
#include "cmd/term/terminal.hpp"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace cmd {

namespace {

std::mutex mutex;  ///< guards what follows, and stderr
std::string shown; ///< the status line as it stands; "" if there is none

void put(const std::string& bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stderr);
    std::fflush(stderr);
}

std::size_t width() { return terminal_columns(STDERR_FILENO); }

/// What takes the line off. A terminal that has become narrower has made several rows of it.
std::string erase() {
    const auto rows_above = shown.empty() ? 0 : (shown.size() - 1) / width();
    return rows_above == 0 ? "\r\033[K" : fmt::format("\r\033[{}A\033[J", rows_above);
}

void show(std::string text) {
    const std::lock_guard lock(mutex);
    text.resize(fitting(text, width() - 1).size()); // a full line would wrap
    if (text == shown) return;
    const auto before = erase();
    shown = std::move(text);
    put(before + shown);
}

} // namespace

void write_above(const std::string& lines) {
    const std::lock_guard lock(mutex);
    put(shown.empty() ? lines : erase() + lines + shown);
}

bool has_terminal_line() {
    const char* terminal = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) && terminal && std::string_view(terminal) != "dumb";
}

TerminalLine::TerminalLine(std::function<std::string()> text, std::chrono::milliseconds every)
    : text_(std::move(text))
    , every_(every)
    , thread_([this] { run(); }) {}

TerminalLine::~TerminalLine() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    end_.notify_one();
    thread_.join();
    show("");
}

void TerminalLine::run() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
        lock.unlock();
        show(text_());
        lock.lock();
        end_.wait_for(lock, every_, [this] { return ending_; });
    }
}

} // namespace cmd
