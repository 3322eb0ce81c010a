#include "cmd/cli/edit_distance.hpp"
#include "unit/catch2.hpp"

TEST_CASE("an edit changes, leaves out, puts in or swaps a letter") {
    struct Row {
        const char *a, *b;
        std::size_t edits;
    };
    const Row rows[] = {{"", "", 0},         {"", "abc", 3},          {"abc", "", 3},
                        {"abc", "abc", 0},   {"abc", "abd", 1},       {"abc", "ab", 1},
                        {"abc", "abxc", 1},  {"abc", "bac", 1},       {"recrod", "record", 1},
                        {"abcd", "badc", 2}, {"kitten", "sitting", 3}};
    for (const auto& row : rows) {
        CAPTURE(row.a, row.b);
        CHECK(cmd::edit_distance(row.a, row.b) == row.edits);
        CHECK(cmd::edit_distance(row.b, row.a) == row.edits);
    }
}

TEST_CASE("the nearest name is what was meant, if one is near") {
    const std::vector<std::string> names = {"--record",    "--record-body", "--retry",
                                            "--retry-max", "--max-time",    "--max-clients"};
    struct Row {
        const char *typed, *meant;
    };
    const Row rows[] = {{"--recrod", "--record"},
                        {"--recor", "--record"},
                        {"--rety", "--retry"},
                        {"--retry-mx", "--retry-max"},
                        {"--max", "--max-time"},
                        {"--max-cleints", "--max-clients"},
                        {"--record-", "--record"},
                        {"--colour", ""},
                        {"-x", ""},
                        {"--", ""},
                        {"", ""},
                        {"--zzzzzzzz", ""}};
    for (const auto& row : rows) {
        CAPTURE(row.typed);
        CHECK(cmd::nearest(row.typed, names) == row.meant);
    }
    CHECK(cmd::nearest(std::string(100'000, 'x'), names).empty());
}
