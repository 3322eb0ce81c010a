#include "cmd/tail/last_id_file.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/mask.hpp"
#include "base/open_file.hpp"
#include "base/output_file.hpp"

#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <simdjson.h>
#include <sstream>
#include <system_error>

namespace cmd {

namespace {

/// "" if there is no such file. A std::ifstream of some standard libraries does not tell that
/// reading failed, such as that of a directory.
std::string contents_of(const std::string& path) {
    try {
        return sse::read_file(path, "the state file", {}, std::numeric_limits<std::size_t>::max());
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::no_such_file_or_directory) throw;
        return {};
    }
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

/// The key of a URL, or a key that was read from a file: masked, and where that hides something a
/// hash of the whole, so that URLs with different secrets stay apart and none of them is written
/// down.
std::string key_of(const std::string& url) {
    auto masked = sse::mask_url(url);
    if (masked == url || url.find(' ') != url.npos) return url; // no URL holds a space
    std::uint64_t hash = 0xcbf29ce484222325;                    // FNV-1a
    for (const char c : url) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format("{} {:016x}", masked, hash);
}

} // namespace

LastIdFile::LastIdFile(std::string path)
    : path_(checked_state_path(path)) {
    std::istringstream lines(contents_of(path_));
    simdjson::dom::parser parser;
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
        std::string_view url, id;
        simdjson::dom::element entry;
        if (parser.parse(line).get(entry) != simdjson::SUCCESS ||
            entry["url"].get(url) != simdjson::SUCCESS ||
            entry["last_event_id"].get(id) != simdjson::SUCCESS) {
            throw sse::Error(
                sse::Errc::bad_input,
                fmt::format("{}:{}: this is not a state file of sse tail", path_, number));
        }
        ids_[key_of(std::string(url))] = id; // masks what older versions wrote
    }
}

std::string LastIdFile::last_event_id(const std::string& url) const {
    const auto found = ids_.find(key_of(url));
    return found == ids_.end() ? std::string() : found->second;
}

void LastIdFile::set(const std::string& url, std::string_view id) {
    if (last_event_id(url) == id) return;
    if (id.empty()) ids_.erase(key_of(url));
    else ids_[key_of(url)] = id;
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
    sse::replace_file(path_, text, 0600);
    changed_ = false;
}

} // namespace cmd
