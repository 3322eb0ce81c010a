#include "cmd/command.hpp"

#include "cmd/terminal_line.hpp"

#include <fmt/format.h>

namespace cmd {

int exit_status(sse::Errc code) {
    switch (code) {
    case sse::Errc::invalid_argument: return Exit::usage;
    case sse::Errc::bad_input: return Exit::bad_input;
    case sse::Errc::too_large: return Exit::bad_input;
    case sse::Errc::io: return Exit::io_error;
    case sse::Errc::resolve: return Exit::cannot_resolve;
    case sse::Errc::connect: return Exit::cannot_connect;
    case sse::Errc::http_status: return Exit::http_error;
    case sse::Errc::timeout: return Exit::timed_out;
    case sse::Errc::tls_handshake: return Exit::tls_failed;
    case sse::Errc::tls_verify: return Exit::certificate_refused;
    case sse::Errc::receive: return Exit::receive_failed;
    }
    return Exit::incomplete;
}

namespace {

void line(const char* kind, const std::string& text) {
    write_above(fmt::format("sse: {}: {}\n", kind, text));
}

} // namespace

void warn(const std::string& text) { line("warning", text); }
void note(const std::string& text) { line("note", text); }

} // namespace cmd
