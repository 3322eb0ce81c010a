#include "cmd/cli/command.hpp"

#include "base/printable.hpp"
#include "cmd/term/terminal_line.hpp"

#include <cerrno>
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
    case sse::Errc::invalid_argument:
        return "see --help or the manual page for the accepted values";
    case sse::Errc::bad_input: return "correct the input at that position, or use another file";
    case sse::Errc::too_large: return "raise the limit with --max-event-bytes";
    case sse::Errc::io:
        return "check that the file exists, that its permissions allow this, and that the disk is "
               "not full";
    case sse::Errc::resolve: return "check the spelling of the host name, or use an address";
    case sse::Errc::connect: return "check the host and port, and that the server is running";
    case sse::Errc::http_status: return "use -v to see the request and the response";
    case sse::Errc::timeout: return "raise the time limit, or use -v to see the last step";
    case sse::Errc::tls_handshake: return "use -v to see the TLS version and cipher";
    case sse::Errc::tls_verify: return "trust its certificate authority with --cacert FILE";
    case sse::Errc::receive: return "use -v to see the last step";
    }
    return {};
}

std::string hint_for(const std::error_code& code) {
    if (code == std::errc::no_such_file_or_directory)
        return "check the spelling of the path, and that its directory exists";
    if (code == std::errc::permission_denied)
        return "check the permissions with ls -l, and change them or run as another user";
    if (code == std::errc::is_a_directory) return "give the path of a file in that directory";
    if (code == std::errc::no_space_on_device) return "free space on the disk, or use another one";
    if (code == std::errc::resource_unavailable_try_again)
        return "run fewer processes or threads, or raise the limit with ulimit -u or ulimit -v";
    // By number, too: Asio's category does not translate it.
    if (code == std::errc::too_many_files_open || code.value() == EMFILE)
        return "raise the limit with ulimit -n, or LimitNOFILE= in a systemd unit";
    if (code == std::errc::too_many_files_open_in_system || code.value() == ENFILE)
        return "raise fs.file-max, or close other programs";
    return "check that the file exists, that its permissions allow this, and that the disk is not "
           "full";
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
