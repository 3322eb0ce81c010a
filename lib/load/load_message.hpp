// What a process of a load run writes to the one that started it: messages in a pipe, each with its
// kind, its length and its body. Both are the same program, so numbers are as in memory.
#pragma once

#include "load/load_result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

enum class LoadMessageKind : std::uint8_t { interval, share, error };

/// A LoadInterval, with the histogram of its delays.
struct LoadIntervalMessage {
    LoadInterval interval;
    Histogram delays;
};

std::string encode_message(LoadMessageKind kind, std::string_view body);
std::string encode(const LoadIntervalMessage& message);
std::string encode(const LoadShare& share);

/// Throw Error (bad_input) if the body is not whole.
LoadIntervalMessage decode_interval(std::string_view body);
LoadShare decode_share(std::string_view body);

/// Cuts a stream of bytes into messages.
class LoadMessages {
public:
    struct Message {
        LoadMessageKind kind;
        std::string_view body; ///< until the next call of a member
    };
    static constexpr std::size_t most_bytes = std::size_t{512} << 20;

    void feed(std::string_view bytes) { bytes_.append(bytes); }
    /// The next whole message. Throws Error (too_large) for one above `most_bytes`.
    std::optional<Message> next();

private:
    std::string bytes_;
    std::size_t done_ = 0; ///< bytes of the messages before
};

} // namespace sse
