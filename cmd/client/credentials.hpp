// Credentials that are not on the command line: in a netrc file, or a password typed on the
// terminal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmd {

struct Login {
    std::string user, password;
};

/// The first entry of `netrc` (the text of the file) for `host` and, unless it is "", `user`;
/// `default` matches any host. Values may be in quotes with the escapes \" \\ \n \r \t; `#` begins
/// a comment; macdef is skipped. Throws sse::Error (bad_input), which names `file` and the line.
std::optional<Login> find_login(std::string_view netrc, const std::string& file,
                                std::string_view host, std::string_view user);

/// Prompts for the password of `user` on the controlling terminal, without echo. Throws Failure if
/// there is no terminal, or if the user interrupts the prompt (130).
std::string ask_password(const std::string& user);

} // namespace cmd
