// The verdicts of `sse check` on what it has seen of real servers. The observations are in
// check_recorded.txt, which tests/real/check_table.py --record writes by means of the hidden test.
#include "check/gather.hpp"
#include "cmd/client/connection_flags.hpp"
#include "cmd/client/request_flags.hpp"
#include "unit/catch2.hpp"
#include "unit/check_rig.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>

using namespace check_rig;

namespace {

struct Recording {
    std::string name;
    std::string expected; ///< of the endpoint: "good", or the IDs of which one must be found
    std::string findings; ///< all but notes, when it was recorded
    Observations seen;
};

// In the order of the enumerators.
constexpr std::array endings{"none",  "stopped", "complete", "closed", "cut",
                             "reset", "silent",  "refused",  "failed"};
constexpr std::array framings{"none", "chunked", "length", "close"};

/// Numbers stand for hashes: only which are equal matters.
using Hashes = std::map<std::uint64_t, std::size_t>;

std::string time_or_dash(const std::optional<double>& time) {
    return time ? fmt::format("{:.4f}", *time) : "-";
}

/// A line for each piece: its time, size, `c` if it ends a chunk, `i` if it ends within an event,
/// `#N` for N comments, and `ID,HASH[,TIME]` for each event.
std::string body_text(const Exchange& it, Hashes& hashes) {
    std::string text;
    std::size_t event = 0, comment = 0;
    for (const auto& piece : it.pieces) {
        text += fmt::format("{:.4f} {} {}{}", piece.at, piece.bytes, piece.ends_chunk ? "c" : "-",
                            piece.inside_event ? "i" : "-");
        const auto first = comment;
        while (comment < it.comments.size() && it.comments[comment] <= piece.at) ++comment;
        if (comment > first) text += fmt::format(" #{}", comment - first);
        for (; event < it.events.size() && it.events[event].at <= piece.at; ++event) {
            const auto& one = it.events[event];
            const auto number = hashes.emplace(one.hash, hashes.size() + 1).first->second;
            text += fmt::format(" {},{}", one.id.value_or("-"), number);
            if (one.stamp) text += fmt::format(",{:.3f}", *one.stamp);
        }
        text += "\n";
    }
    return text;
}

std::string text_of(const Recording& it) {
    const auto& seen = it.seen;
    auto text =
        fmt::format("recording {}\nexpected {}\nfindings {}\nwatched {:.3f} {:.4f} {:.4f}\n",
                    it.name, it.expected, it.findings.empty() ? "-" : it.findings, seen.wall_start,
                    seen.duration, seen.late);
    if (seen.resumed_after) text += fmt::format("resumed-after {}\n", *seen.resumed_after);
    Hashes hashes;
    for (const auto& each : seen.exchanges) {
        if (!each.made()) continue;
        text +=
            fmt::format("request {} {} {} {:.4f} {:.4f} {} {} {}\n", &each - seen.exchanges.data(),
                        endings.at(static_cast<std::size_t>(each.ending)), each.sent_cookie,
                        each.started, each.ended, time_or_dash(each.connected),
                        time_or_dash(each.head), time_or_dash(each.first_body));
        if (!each.has_head()) continue;
        text += fmt::format("response {} {} {} {:.4f} {} {} {}\n", each.version, each.status,
                            framings.at(static_cast<std::size_t>(each.framing)), each.wall_at_head,
                            each.format.retry_ms ? std::to_string(*each.format.retry_ms) : "-",
                            each.format.data_lines, each.format.unfinished_event);
        for (const auto& field : each.fields)
            text += fmt::format("field {}: {}\n", field.name, field.value);
        text += body_text(each, hashes);
    }
    return text + "\n";
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

std::optional<double> read_time(const std::string& word) {
    return word == "-" ? std::nullopt : std::optional(std::stod(word));
}

template <class Names>
std::size_t place_in(const Names& names, const std::string& name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

void read_piece(const std::vector<std::string>& words, Exchange& it) {
    const auto at = std::stod(words.at(0));
    const auto bytes = std::stoul(words.at(1));
    it.pieces.push_back({at, bytes, words.at(2)[0] == 'c', words.at(2)[1] == 'i'});
    it.body_bytes += bytes;
    for (std::size_t i = 3; i < words.size(); ++i) {
        if (words[i][0] == '#') {
            it.comments.resize(it.comments.size() + std::stoul(words[i].substr(1)), at);
            continue;
        }
        std::istringstream parts(words[i]);
        std::string id, hash, stamp;
        std::getline(std::getline(parts, id, ','), hash, ',');
        sse::checks::SeenEvent event;
        event.at = at;
        if (id != "-") event.id = id;
        event.hash = std::stoul(hash);
        if (std::getline(parts, stamp, ',')) event.stamp = std::stod(stamp);
        it.events.push_back(event);
    }
}

std::vector<Recording> read_recordings(std::istream& in) {
    std::vector<Recording> all;
    Exchange* it = nullptr;
    for (std::string line; std::getline(in, line);) {
        const auto words = words_of(line);
        if (words.empty() || words[0] == "#") continue;
        const auto rest = line.substr(std::min(words[0].size() + 1, line.size()));
        if (words[0] == "recording") {
            all.emplace_back().name = rest;
            continue;
        }
        auto& seen = all.back().seen;
        if (words[0] == "expected") all.back().expected = rest;
        else if (words[0] == "findings") all.back().findings = rest == "-" ? "" : rest;
        else if (words[0] == "watched") {
            seen.wall_start = std::stod(words.at(1));
            seen.duration = std::stod(words.at(2));
            seen.late = std::stod(words.at(3));
        } else if (words[0] == "resumed-after") seen.resumed_after = std::stoul(words.at(1));
        else if (words[0] == "request") {
            it = &seen.exchanges.at(std::stoul(words.at(1)));
            it->ending = static_cast<Ending>(place_in(endings, words.at(2)));
            it->sent_cookie = words.at(3) == "true";
            it->started = std::stod(words.at(4));
            it->ended = std::stod(words.at(5));
            it->connected = read_time(words.at(6));
            it->head = read_time(words.at(7));
            it->first_body = read_time(words.at(8));
        } else if (words[0] == "response") {
            it->version = words.at(1);
            it->status = std::stoi(words.at(2));
            it->framing = static_cast<sse::BodyFraming>(place_in(framings, words.at(3)));
            it->wall_at_head = std::stod(words.at(4));
            if (words.at(5) != "-") it->format.retry_ms = std::stoul(words.at(5));
            it->format.data_lines = std::stoul(words.at(6));
            it->format.unfinished_event = words.at(7) == "true";
        } else if (words[0] == "field") {
            const auto colon = rest.find(": ");
            it->fields.push_back({rest.substr(0, colon), rest.substr(colon + 2)});
        } else read_piece(words, *it);
    }
    return all;
}

bool has_error(const Observations& seen) {
    const auto results = sse::checks::judge(seen);
    return std::any_of(results.begin(), results.end(), [](const auto& result) {
        return result.verdict.kind == Verdict::Kind::finding &&
               result.verdict.severity == Severity::error;
    });
}

} // namespace

TEST_CASE("the verdicts on recorded observations of real servers") {
    std::ifstream file(SSE_TEST_DIR "/unit/check_recorded.txt");
    const auto all = read_recordings(file);
    REQUIRE(all.size() >= 12);
    std::size_t good = 0;
    for (const auto& it : all) {
        INFO(it.name);
        CHECK(findings(it.seen) == it.findings);
        if (it.expected == "good") {
            CHECK_FALSE(has_error(it.seen));
            ++good;
            continue;
        }
        const auto found = words_of(it.findings);
        const auto expected = words_of(it.expected);
        CHECK(std::find_first_of(found.begin(), found.end(), expected.begin(), expected.end()) !=
              found.end());
        std::istringstream text(text_of(it)); // what is written is what is read
        CHECK(findings(read_recordings(text).at(0).seen) == it.findings);
    }
    CHECK(good >= 4);
}

TEST_CASE("records the observations of SSE_RECORD_URL on standard output", "[.record]") {
    const char* url = std::getenv("SSE_RECORD_URL");
    if (!url) return;
    sse::checks::GatherOptions options;
    cmd::RequestFlags request;
    cmd::complete(request);
    cmd::apply(request, {}, url, options.client);
    sse::Interrupt interrupt;
    sse::checks::Progress progress;
    Recording it{std::getenv("SSE_RECORD_NAME"), std::getenv("SSE_RECORD_EXPECTED"), "",
                 sse::checks::gather(options, interrupt, progress)};
    it.findings = findings(it.seen);
    std::ofstream(std::getenv("SSE_RECORD_TO"), std::ios::app) << text_of(it);
}
