#include "cmd/tail/last_id_file.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/output_file.hpp"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <simdjson.h>
#include <system_error>

namespace cmd {

namespace {

[[noreturn]] void fail_to_read(const std::string& path) {
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot read the state file {}", path));
}

/// Throws for a pipe or a device, which replacing would remove, and for a link of another user.
std::string checked_state_path(const std::string& path) {
    sse::replaced_file(path); // throws for a link that may not be followed
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_directory(status) &&
        !std::filesystem::is_regular_file(status)) {
        throw sse::Error(sse::Errc::bad_input,
                         fmt::format("{}: the state file is not a regular file", path));
    }
    return path;
}

} // namespace

LastIdFile::LastIdFile(std::string path)
    : path_(checked_state_path(path)) {
    errno = 0;
    std::ifstream file(path_, std::ios::binary);
    if (!file) {
        if (errno == ENOENT) return;
        fail_to_read(path_);
    }
    simdjson::dom::parser parser;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        std::string_view url, id;
        simdjson::dom::element entry;
        if (parser.parse(line).get(entry) != simdjson::SUCCESS ||
            entry["url"].get(url) != simdjson::SUCCESS ||
            entry["last_event_id"].get(id) != simdjson::SUCCESS) {
            throw sse::Error(
                sse::Errc::bad_input,
                fmt::format("{}:{}: this is not a state file of sse tail", path_, number));
        }
        ids_[std::string(url)] = id;
    }
    if (file.bad()) fail_to_read(path_);
}

std::string LastIdFile::last_event_id(const std::string& url) const {
    const auto found = ids_.find(url);
    return found == ids_.end() ? std::string() : found->second;
}

void LastIdFile::set(const std::string& url, std::string_view id) {
    if (last_event_id(url) == id) return;
    if (id.empty()) ids_.erase(url);
    else ids_[url] = id;
    changed_ = true;
}

void LastIdFile::save() {
    if (!changed_) return;
    std::string text;
    for (const auto& [url, id] : ids_) {
        text += R"({"url":)";
        sse::append_json_string(url, text);
        text += R"(,"last_event_id":)";
        sse::append_json_string(id, text);
        text += "}\n";
    }
    sse::replace_file(path_, text);
    changed_ = false;
}

} // namespace cmd
