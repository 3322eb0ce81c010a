// The response field that reports a resume with a gap, shared by server and client.
#pragma once

#include <string_view>

namespace sse {

/// `Sse-Gap: true` in the head of a stream: the events directly after the client's last event ID
/// are no longer held, so the stream starts later.
inline constexpr std::string_view gap_field = "Sse-Gap";

} // namespace sse
