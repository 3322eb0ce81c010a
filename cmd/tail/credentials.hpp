// Who asks, where the command line does not say all: a password typed on the terminal, and netrc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmd {

struct Login {
    std::string user, password;
};

/// The first entry of `netrc` (the file's text) for `host` and, unless it is "", `user`; `default`
/// stands for any host. Values may stand in quotes with \" \\ \n \r \t in them; `#` begins a
/// comment; macdef is read over. Throws sse::Error (bad_input) that names `file` and the line.
std::optional<Login> find_login(std::string_view netrc, const std::string& file,
                                std::string_view host, std::string_view user);

/// Asks for the password of `user` on the controlling terminal, where it is not shown. Throws
/// Failure: there is no terminal, or whoever was asked broke off (130).
std::string ask_password(const std::string& user);

} // namespace cmd
