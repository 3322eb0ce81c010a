// A status line at the bottom of the terminal, and messages above it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace cmd {

/// Writes whole lines to stderr, above the status line if there is one. Any thread.
void write_above(const std::string& lines);

/// True if stderr is a terminal that can erase a line.
bool has_terminal_line();

/// Shows `text()` on the last line of the terminal, cut to its width, and redraws it every `every`;
/// the destructor erases the line. At most one object exists at a time, and only if
/// has_terminal_line(). It draws on a thread of its own, so that a stopped terminal blocks nothing
/// else.
class TerminalLine {
public:
    explicit TerminalLine(std::function<std::string()> text,
                          std::chrono::milliseconds every = std::chrono::milliseconds(250));
    ~TerminalLine();
    TerminalLine(const TerminalLine&) = delete;
    TerminalLine& operator=(const TerminalLine&) = delete;

private:
    void run();

    std::function<std::string()> text_;
    std::chrono::milliseconds every_;
    std::mutex mutex_;
    std::condition_variable end_;
    bool ending_ = false;
    std::thread thread_;
};

} // namespace cmd
