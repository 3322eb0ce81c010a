#include "cmd/tail/last_id_file.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/mask.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <simdjson.h>
#include <system_error>
#include <unistd.h>

namespace cmd {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot {} the state file {}", what, path));
}

/// The file that is put in the place of another when it is written: what a link names, and no
/// device.
std::string replaceable(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status) || std::filesystem::is_directory(status)) return path;
    if (!std::filesystem::is_regular_file(status))
        throw sse::Error(sse::Errc::bad_input,
                         fmt::format("{}: the state file is not a regular file", path));
    return std::filesystem::canonical(path);
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
    : path_(replaceable(path)) {
    errno = 0;
    std::ifstream file(path_, std::ios::binary);
    if (!file) {
        if (errno == ENOENT) return;
        fail("read", path_);
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
        ids_[key_of(std::string(url))] = id; // masks what older versions wrote
    }
    if (file.bad()) fail("read", path_);
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
    const auto beside = path_ + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) fail("write", path_);
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (::close(fd) != 0 || !written || std::rename(beside.c_str(), path_.c_str()) != 0)
        fail("write", path_);
    changed_ = false;
}

} // namespace cmd
