#include "cmd/cli/command.hpp"

#include "base/printable.hpp"
#include "cmd/term/terminal_line.hpp"

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

std::string hint_for(sse::Errc code) {
    switch (code) {
    case sse::Errc::invalid_argument: return "--help and the manual page say what it takes";
    case sse::Errc::bad_input: return "correct it where the error points, or name another file";
    case sse::Errc::too_large:
        return "raise the bound with --max-event-bytes, if it is to be so large";
    case sse::Errc::io:
        return "see that it exists, can be read or written, and that its disk is not full";
    case sse::Errc::resolve: return "check the name, or give an address";
    case sse::Errc::connect: return "check host and port, and that the server runs";
    case sse::Errc::http_status: return "see with -v what was asked and answered";
    case sse::Errc::timeout: return "allow it more time, or see with -v where it waits";
    case sse::Errc::tls_handshake: return "see with -v what was agreed on";
    case sse::Errc::tls_verify: return "name its authority with --cacert";
    case sse::Errc::receive: return "see with -v what came before";
    }
    return {};
}

std::string hint_for(const std::error_code& code) {
    if (code == std::errc::no_such_file_or_directory) return "check its name, and the directory";
    if (code == std::errc::permission_denied)
        return "ls -l shows who may: run as that user, or change its permissions";
    if (code == std::errc::is_a_directory) return "name a file in it";
    if (code == std::errc::no_space_on_device) return "make room on the disk, or name another";
    if (code == std::errc::resource_unavailable_try_again)
        return "ask for fewer at a time, or raise the limit: ulimit -u, ulimit -v";
    if (code == std::errc::too_many_files_open) return "raise the limit: ulimit -n";
    return "see that it exists, can be read or written, and that its disk is not full";
}

std::string message_line(const char* kind, const std::string& text) {
    auto out = fmt::format("sse: {}: ", kind);
    sse::append_printable(text, out);
    out.push_back('\n');
    return out;
}

void warn(const std::string& text) { write_above(message_line("warning", text)); }
void note(const std::string& text) { write_above(message_line("note", text)); }

} // namespace cmd
