#include "cmd/server/response_header.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "client/client_request.hpp"
#include "http/head.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

namespace cmd {

std::pair<std::string, std::string> response_header(const std::string& line) {
    const auto refuse = [&](const char* why) {
        throw CLI::ValidationError("--header",
                                   fmt::format("\"{}\" {}", sse::printable(line, 100), why));
    };
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) refuse("is not 'Name: value'");
    const auto name = line.substr(0, colon);
    const auto start = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    sse::ClientRequest checked;
    checked.fields.push_back({name, line.substr(start)});
    try {
        sse::check(checked);
    } catch (const sse::Error&) {
        refuse("cannot be a header field");
    }
    for (const auto* own : {"Transfer-Encoding", "Content-Length", "Connection"}) {
        if (sse::same_name(name, own)) refuse("is set by sse");
    }
    return {name, line.substr(start)};
}

} // namespace cmd
