// curl's flags for a request, with curl's meaning, as the request of a client.
#pragma once

#include "http/outgoing.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct RequestFlags {
    std::string method; ///< -X; "" for GET, or POST when there is data
    std::vector<std::string>
        headers;                   ///< -H: `Name: value`, `Name;` empty, `Name:` removed, `@file`
    std::vector<std::string> data; ///< -d: text, `@file` without its line ends, `@-` stdin
    std::vector<std::string> json; ///< --json: the same, but files as they are
    std::string user, bearer, agent, cookie;
    bool compressed = false;
};

/// Adds the flags to `app`, in a group of their own.
void add_request_flags(CLI::App& app, RequestFlags& flags);

/// The request that `flags` describe. Reads the files they name. Throws sse::Error
/// (invalid_argument) and Failure.
sse::Outgoing make_request(const RequestFlags& flags, const sse::Url& url);

} // namespace cmd
