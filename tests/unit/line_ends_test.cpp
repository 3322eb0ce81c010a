#include "protocol/line_ends.hpp"

#include "unit/catch2.hpp"

#include <random>
#include <string>
#include <vector>

namespace {

struct Marked {
    std::vector<std::uint64_t> words;
    bool ascii;
    bool operator==(const Marked&) const = default;
};

Marked expected(const std::string& bytes) {
    Marked marked{std::vector<std::uint64_t>(sse::line_end_words(bytes.size())), true};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            marked.words[i / 64] |= std::uint64_t{1} << i % 64;
        if (static_cast<unsigned char>(bytes[i]) >= 0x80) marked.ascii = false;
    }
    return marked;
}

Marked marked(const sse::LineEndMarker& marker, const std::string& bytes) {
    // what is not cleared, and what is written behind the end, would be seen
    Marked marked{std::vector<std::uint64_t>(sse::line_end_words(bytes.size()) + 1, 0x5A5A), true};
    const std::string exact(bytes.begin(), bytes.end()); // ASan sees what is read behind it
    marked.ascii = marker.mark(exact, marked.words.data());
    CHECK(marked.words.back() == 0x5A5A);
    marked.words.pop_back();
    return marked;
}

} // namespace

TEST_CASE("the plain way to mark line ends is there on every processor") {
    REQUIRE(std::string(sse::line_end_markers().back().name) == "plain");
    const std::string bytes(100, '\n');
    std::vector<std::uint64_t> marks(2);
    CHECK(sse::mark_line_ends(bytes, marks.data()));
    CHECK(Marked{marks, true} == expected(bytes));
}

TEST_CASE("every byte is marked as what it is, at every place of a block, by every marker") {
    for (const auto& marker : sse::line_end_markers()) {
        INFO(marker.name);
        for (std::size_t place = 0; place < 130; ++place) {
            for (int value = 0; value < 256; ++value) {
                std::string bytes(130, 'x');
                bytes[place] = static_cast<char>(value);
                if (marked(marker, bytes) != expected(bytes)) FAIL(place << ": " << value);
            }
        }
    }
}

TEST_CASE("line ends are marked in bytes of any length, by every marker") {
    std::mt19937 random(1);
    const std::string some = "\n\r\n\r\n\rab\x0B\x0C\x8A\x8D\xFF\x7F \t";
    for (const auto& marker : sse::line_end_markers()) {
        INFO(marker.name);
        for (std::size_t size = 0; size < 400; ++size) {
            std::string bytes;
            while (bytes.size() < size) bytes += some[random() % some.size()];
            if (marked(marker, bytes) != expected(bytes)) FAIL(size);
            for (auto& c : bytes) c = static_cast<char>(c & 0x7F);
            if (marked(marker, bytes) != expected(bytes)) FAIL(size);
        }
    }
}
