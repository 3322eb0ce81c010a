#include "cmd/serve/tee.hpp"

#include "cmd/cli/command.hpp"

#include <fmt/format.h>

namespace cmd {

Tee::Tee(int fd)
    : output_(fd, {[this](int full) { return stop_.wait(full); },
                   [] { note("standard output was closed; --tee stops copying"); }}) {}

void Tee::write(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    try {
        output_.text().append(bytes);
        ended_ = !output_.flush();
    } catch (const Failure& e) {
        ended_ = true;
        warn(fmt::format("{}; --tee stops copying", e.what()));
    }
}

void TeeInput::write(std::string_view bytes) {
    if (!beside_others_) return tee_.write(bytes);
    const auto last = bytes.rfind(end_);
    if (last == bytes.npos) {
        rest_.append(bytes);
    } else {
        rest_.append(bytes.substr(0, last + 1));
        tee_.write(rest_);
        rest_ = bytes.substr(last + 1);
    }
    if (rest_.size() > max_bytes_) {
        tee_.write(rest_);
        rest_.clear();
    }
}

void TeeInput::finish() {
    if (rest_.empty()) return;
    rest_.push_back(end_);
    tee_.write(rest_);
    rest_.clear();
}

} // namespace cmd
