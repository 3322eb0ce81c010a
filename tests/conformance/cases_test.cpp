// The cases of cases.jsonl, each at every cut. README.md beside this says where they are from.
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <openssl/evp.h>
#include <random>
#include <simdjson.h>
#include <stdexcept>
#include <utility>

namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::size_t case_count = 202;
constexpr std::size_t every_cut_up_to = 2048; // bytes of input

struct Case {
    std::string name, input, initial_last_event_id;
    std::vector<std::size_t> chunks;
    std::vector<test::RecordingSink::Event> events; ///< of expect_gen: `data` is "length sha256"
    bool digested = false;
    bool has_retry = false;
    std::optional<long long> retry;
    std::optional<std::string> last_event_id;
    std::optional<std::vector<std::string>> comments;
};

std::string text(element e) { return std::string(e.get_string().value()); }

std::string base64(std::string_view coded) {
    std::string bytes(coded.size() / 4 * 3 + 3, '\0');
    const auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(coded.data()),
                                      static_cast<int>(coded.size()));
    if (size < 0 || coded.size() % 4 != 0) throw std::runtime_error("not base64");
    const auto padding =
        std::count(coded.end() - std::min<std::ptrdiff_t>(2, std::ssize(coded)), coded.end(), '=');
    bytes.resize(static_cast<std::size_t>(size - padding));
    return bytes;
}

/// The length in bytes and the SHA-256 of `data`.
std::string digest(std::string_view data) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    EVP_Digest(data.data(), data.size(), hash.data(), &size, EVP_sha256(), nullptr);
    auto text = std::to_string(data.size()) + " ";
    for (unsigned i = 0; i < size; ++i) {
        constexpr char digits[] = "0123456789abcdef";
        text.append({digits[hash[i] >> 4], digits[hash[i] & 15]});
    }
    return text;
}

std::string input_of(element e) {
    element generated;
    if (e["input_gen"].get(generated) != simdjson::SUCCESS) return base64(text(e["input_b64"]));
    std::string input;
    for (const array piece : generated.get_array()) {
        const auto bytes = base64(text(piece.at(0)));
        for (auto times = piece.at(1).get_uint64().value(); times > 0; --times) input += bytes;
    }
    return input;
}

Case read_case(element e) {
    Case c;
    c.name = text(e["name"]);
    c.input = input_of(e);
    element value;
    if (e["chunks"].get(value) == simdjson::SUCCESS) {
        for (const auto size : value.get_array()) c.chunks.push_back(size.get_uint64().value());
    }
    c.digested = e["expect_gen"].get(value) == simdjson::SUCCESS;
    if (!c.digested) value = e["expect"].value();
    for (const element event : value.get_array()) {
        const auto data = c.digested ? std::to_string(event["data_len"].get_uint64().value()) +
                                           " " + text(event["data_sha256"])
                                     : text(event["data"]);
        c.events.push_back({text(event["event"]), data, text(event["id"])});
    }
    c.has_retry = e["retry"].get(value) == simdjson::SUCCESS;
    if (c.has_retry && !value.is_null()) c.retry = value.get_int64().value();
    if (e["last_event_id"].get(value) == simdjson::SUCCESS) c.last_event_id = text(value);
    if (e["initial_last_event_id"].get(value) == simdjson::SUCCESS) {
        c.initial_last_event_id = text(value);
    }
    if (e["comments"].get(value) == simdjson::SUCCESS) {
        c.comments.emplace();
        for (const element comment : value.get_array()) c.comments->push_back(text(comment));
    }
    return c;
}

std::vector<Case> read_cases() {
    std::ifstream file(SSE_TEST_DIR "/conformance/cases.jsonl");
    if (!file) throw std::runtime_error("cannot open conformance/cases.jsonl");
    std::vector<Case> cases;
    simdjson::dom::parser json;
    for (std::string line; std::getline(file, line);) cases.push_back(read_case(json.parse(line)));
    return cases;
}

/// What is wrong with the parser's reading of the input in pieces: "" if nothing is. `next_size`
/// gives the size of each piece in turn; it may be more than what is left. (The pieces are not
/// collected: there are millions.)
template <class NextSize>
std::string fault(const Case& c, NextSize next_size) {
    test::RecordingSink received(c.initial_last_event_id);
    sse::Parser parser(received);
    const std::string_view input = c.input;
    for (std::size_t at = 0, size = 0; at < input.size(); at += size) {
        size = std::min<std::size_t>(next_size(), input.size() - at);
        parser.feed({input.data() + at, size});
    }
    const auto last_id = received.last_id; // an unfinished block does not change it
    parser.finish();
    if (c.digested) {
        for (auto& event : received.events) event.data = digest(event.data);
    }
    if (received.events != c.events) return "events: " + received.text.substr(0, 500);
    if (c.last_event_id && last_id != *c.last_event_id) return "last event id '" + last_id + "'";
    if (c.has_retry && received.retry != c.retry) {
        return "retry " + (received.retry ? std::to_string(*received.retry) : "none");
    }
    if (c.comments && received.comments != *c.comments)
        return "comments: " + received.text.substr(0, 500);
    return "";
}

} // namespace

TEST_CASE("Every case of cases.jsonl reads as the standard has it, at every cut") {
    const auto cases = read_cases();
    REQUIRE(cases.size() == case_count);
    for (const auto& c : cases) {
        INFO(c.name);
        const auto size = c.input.size();
        REQUIRE(fault(c, [&] { return size; }) == "");
        REQUIRE(fault(c, [] { return 1; }) == "");
        if (!c.chunks.empty()) {
            REQUIRE(std::accumulate(c.chunks.begin(), c.chunks.end(), std::size_t{0}) == size);
            REQUIRE(fault(c, [next = c.chunks.begin()]() mutable { return *next++; }) == "");
        }
        if (size <= every_cut_up_to) {
            for (std::size_t cut = 0; cut <= size; ++cut) {
                INFO("cut at " << cut);
                REQUIRE(fault(c, [cut, first = true]() mutable {
                            return std::exchange(first, false) ? cut : every_cut_up_to;
                        }) == "");
            }
        } else {
            for (const std::size_t largest : {std::size_t{7}, std::size_t{4096}, size}) {
                INFO("random cuts of up to " << largest);
                std::mt19937 random(9002); // any seed will do; always the same one
                std::uniform_int_distribution<std::size_t> sizes(1, largest);
                REQUIRE(fault(c, [&] { return sizes(random); }) == "");
            }
        }
    }
}
