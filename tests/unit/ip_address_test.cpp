#include "net/ip_address.hpp"
#include "server/forwarded.hpp"
#include "server/stall_detector.hpp"
#include "unit/catch2.hpp"

using namespace std::chrono_literals;
using sse::IpAddress;
using sse::IpNetwork;

TEST_CASE("an IP address, its kinds and its text") {
    struct Row {
        const char *given, *text, *kinds;
    };
    const Row rows[] = {
        {"127.0.0.1", "127.0.0.1", "loopback"},
        {"127.9.9.9", "127.9.9.9", "loopback"},
        {"::1", "::1", "loopback"},
        {"::ffff:127.0.0.1", "127.0.0.1", "loopback"},
        {"0.0.0.0", "0.0.0.0", "any"},
        {"::", "::", "any"},
        {"10.1.2.3", "10.1.2.3", "private"},
        {"172.16.0.1", "172.16.0.1", "private"},
        {"172.32.0.1", "172.32.0.1", ""},
        {"192.168.0.1", "192.168.0.1", "private"},
        {"169.254.0.1", "169.254.0.1", "private"},
        {"100.64.0.1", "100.64.0.1", "private"},
        {"100.128.0.1", "100.128.0.1", ""},
        {"fd00::1", "fd00::1", "private"},
        {"fe80::1", "fe80::1", "private"},
        {"2001:DB8:0::1", "2001:db8::1", ""},
        {"192.0.2.1", "192.0.2.1", ""},
    };
    for (const auto& row : rows) {
        INFO(row.given);
        const auto address = IpAddress::parse(row.given);
        REQUIRE(address);
        CHECK(address->text() == row.text);
        std::string kinds;
        if (address->is_loopback()) kinds += "loopback";
        if (address->is_unspecified()) kinds += "any";
        if (address->is_private()) kinds += "private";
        CHECK(kinds == row.kinds);
    }
    for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "[::1]", "::1%lo", "localhost", "1.2.3.4:5"})
        CHECK(!IpAddress::parse(bad));
    const auto key = [](const char* text) { return IpAddress::parse(text)->customer_key(); };
    CHECK(key("2001:db8::1") == key("2001:db8::2:0:0:0"));
    CHECK(key("2001:db8::1") != key("2001:db8:0:1::1"));
    CHECK(key("192.0.2.1") == key("::ffff:192.0.2.1"));
    CHECK(key("192.0.2.1") != key("192.0.2.2"));
    CHECK(key("::1") != 0);
}

TEST_CASE("which addresses a network contains") {
    struct Row {
        const char *network, *inside, *outside;
    };
    const Row rows[] = {
        {"10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
        {"10.0.0.0/9", "10.127.0.1", "10.128.0.1"},
        {"192.0.2.7", "192.0.2.7", "192.0.2.8"},
        {"192.0.2.7/32", "192.0.2.7", "192.0.2.6"},
        {"0.0.0.0/0", "8.8.8.8", "2001:db8::1"},
        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"},
        {"::1", "::1", "::2"},
        {"127.0.0.0/8", "::ffff:127.0.0.1", "128.0.0.1"},
    };
    for (const auto& row : rows) {
        INFO(row.network);
        const auto network = IpNetwork::parse(row.network);
        REQUIRE(network);
        CHECK(network->contains(*IpAddress::parse(row.inside)));
        CHECK(!network->contains(*IpAddress::parse(row.outside)));
    }
    for (const char* bad : {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8",
                            "::/129", "example.com", "10.0.0.0/8x"})
        CHECK(!IpNetwork::parse(bad));
}

TEST_CASE("the address of a client behind proxies") {
    struct Row {
        const char *what, *peer, *fields, *client;
    };
    const Row rows[] = {
        {"no proxy", "192.0.2.1", "X-Forwarded-For: 198.51.100.1\r\n", "192.0.2.1"},
        {"a proxy", "10.0.0.1", "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1"},
        {"that says nothing", "10.0.0.1", "", "10.0.0.1"},
        {"what the client made up", "10.0.0.1", "X-Forwarded-For: 1.1.1.1, 198.51.100.1\r\n",
         "198.51.100.1"},
        {"two proxies", "10.0.0.1", "X-Forwarded-For: 1.1.1.1, 198.51.100.1, 10.0.0.2\r\n",
         "198.51.100.1"},
        {"in two fields", "10.0.0.1",
         "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 10.0.0.2\r\n", "198.51.100.1"},
        {"all of them proxies", "10.0.0.1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3"},
        {"not an address", "10.0.0.1", "X-Forwarded-For: 198.51.100.1, unknown\r\n", "10.0.0.1"},
        {"a port", "10.0.0.1", "X-Forwarded-For: 198.51.100.1:4711\r\n", "198.51.100.1"},
        {"IPv6", "10.0.0.1", "X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7"},
        {"IPv6 and a port", "10.0.0.1", "X-Forwarded-For: [2001:db8::7]:80\r\n", "2001:db8::7"},
        {"Forwarded", "10.0.0.1", "Forwarded: for=198.51.100.1;proto=https\r\n", "198.51.100.1"},
        {"Forwarded, quoted", "10.0.0.1", "Forwarded: proto=http; For=\"[2001:db8::7]:80\"\r\n",
         "2001:db8::7"},
        {"Forwarded, two", "10.0.0.1", "Forwarded: for=198.51.100.1, for=10.0.0.2\r\n",
         "198.51.100.1"},
        {"Forwarded, hidden", "10.0.0.1", "Forwarded: for=_secret\r\n", "10.0.0.1"},
        {"both", "10.0.0.1", "Forwarded: for=1.1.1.1\r\nX-Forwarded-For: 198.51.100.1\r\n",
         "198.51.100.1"},
        {"a unix socket", "unix", "X-Forwarded-For: 198.51.100.1\r\n", "unix"},
    };
    sse::TrustedProxies proxies;
    proxies.networks = {*IpNetwork::parse("10.0.0.0/8")};
    const auto client = [&](const Row& row) {
        const auto head = sse::Head::parse(std::string("GET / HTTP/1.1\r\n") + row.fields + "\r\n");
        return sse::client_address(head, row.peer, proxies);
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(client(row) == row.client);
    }
    proxies.unix_sockets = true;
    CHECK(client(rows[std::size(rows) - 1]) == "198.51.100.1");
}

TEST_CASE("a peer has stalled when it acknowledges nothing of what waits") {
    struct Step {
        std::chrono::seconds at;
        std::uint64_t sent, queued;
        bool blocked, stalled;
    };
    const auto run = [](const std::vector<Step>& steps) {
        sse::StallDetector detector;
        const auto start = sse::StallDetector::Clock::now();
        for (const auto& step : steps) {
            INFO("at " << step.at.count());
            CHECK(detector.stalled(
                      start + step.at, step.sent, [&] { return step.queued; }, step.blocked, 30s) ==
                  step.stalled);
        }
    };
    run({{0s, 100, 0, false, false}, {1000s, 100, 0, false, false}}); // idle
    run({{0s, 100, 100, false, false},
         {29s, 100, 100, false, false},
         {30s, 100, 100, false, true}});
    run({{0s, 100, 100, true, false},
         {29s, 100, 99, true, false},
         {58s, 100, 99, true, false},
         {59s, 100, 99, true, true}});
    // everything was acknowledged before: the time begins with what is sent then
    run({{0s, 100, 0, false, false},
         {100s, 200, 100, false, false},
         {129s, 200, 100, false, false},
         {130s, 200, 100, false, true}});
    run({{0s, 100, 100, false, false},
         {20s, 200, 150, false, false},
         {49s, 200, 150, false, false},
         {50s, 200, 150, false, true}});
}
