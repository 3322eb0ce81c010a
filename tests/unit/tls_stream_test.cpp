// TLS of a server's connection over a socket pair, with a client of OpenSSL's own.
#include "net/server_tls.hpp"
#include "unit/catch2.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace {

template <typename T, void (*release)(T*)>
struct Release {
    void operator()(T* held) const { release(held); }
};
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX, SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Release<SSL, SSL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509, X509_free>>;

Context server_context() {
    Key key(EVP_EC_gen("P-256"));
    Certificate certificate(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    Context context(SSL_CTX_new(TLS_server_method()));
    REQUIRE(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

/// A server's stream and its client after the handshake.
class Connection {
public:
    Connection() {
        std::signal(SIGPIPE, SIG_IGN); // as main() does
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
        own_ = ends[0];
        peer_ = ends[1];
        auto* const session = SSL_new(context_.get());
        SSL_set_fd(session, own_);
        server = std::make_unique<sse::TlsStream>(session, own_);
        client_.reset(SSL_new(client_context_.get()));
        SSL_set_fd(client_.get(), peer_);
        bool done = false;
        for (int step = 0; step < 20 && !done; ++step) {
            const bool connected = SSL_connect(client_.get()) == 1;
            done = server->handshake() == sse::TlsStream::Handshake::done && connected;
        }
        REQUIRE(done);
    }
    ~Connection() {
        leave();
        ::close(own_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The client closes its socket, without a close_notify.
    void leave() {
        if (peer_ >= 0) ::close(peer_);
        peer_ = -1;
    }

    /// What the client receives.
    std::string read() {
        std::string all;
        std::array<char, 20'000> buffer{};
        std::size_t got = 0;
        while (SSL_read_ex(client_.get(), buffer.data(), buffer.size(), &got) == 1)
            all.append(buffer.data(), got);
        return all;
    }
    int descriptor() const { return own_; }

    std::unique_ptr<sse::TlsStream> server;

private:
    Context context_ = server_context(), client_context_{SSL_CTX_new(TLS_client_method())};
    Session client_;
    int own_ = -1, peer_ = -1;
};

} // namespace

TEST_CASE("TLS: a client that closes without close_notify is gone for every call") {
    Connection connection;
    auto& server = *connection.server;
    std::array<char, 100> buffer{};
    REQUIRE(server.receive(buffer).again);

    SECTION("while it is being served") {
        connection.leave();
        CHECK(server.receive(buffer).closed);
        CHECK(server.receive(buffer).closed);
    }
    SECTION("after a close_notify from here") {
        CHECK(server.close_notify());
        CHECK(server.receive(buffer).again);
        connection.leave();
        CHECK(server.receive(buffer).closed);
        CHECK(server.receive(buffer).closed);
    }
    SECTION("when it is sent something") {
        connection.leave();
        const std::array<std::string_view, 1> views = {"data: x\n\n"};
        CHECK(server.send(views).closed);
    }
}

TEST_CASE("TLS: what is sealed is sent by the caller, and the rest before all else") {
    Connection connection;
    auto& server = *connection.server;
    const auto before = server.sent();
    std::string sealed;
    std::string expected;
    const auto send = [&](std::size_t bytes) {
        REQUIRE(::send(connection.descriptor(), sealed.data(), bytes, 0) ==
                static_cast<ssize_t>(bytes));
        server.sealed_was_sent(std::string_view(sealed).substr(bytes));
    };
    REQUIRE(server.seal("data: one\n\n", sealed));
    CHECK(sealed.find("one") == sealed.npos);
    send(sealed.size());
    CHECK(connection.read() == "data: one\n\n");
    CHECK(server.sent() == before + sealed.size());

    const std::string large(16 * 1024, 'x');
    REQUIRE(server.seal(large, sealed));
    const auto part = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{5'000});
    send(part);
    CHECK(server.pending());
    CHECK(connection.read().empty());
    CHECK_FALSE(server.seal("data: two\n\n", sealed)); // not before the rest
    const std::array<std::string_view, 1> more = {"data: two\n\n"};
    SECTION("flushed") { CHECK_FALSE(server.flush().closed); }
    SECTION("sent with what follows") {
        CHECK(server.send(more).bytes == more[0].size());
        expected = more[0];
    }
    SECTION("sent with the end") { CHECK(server.close_notify()); }
    CHECK_FALSE(server.pending());
    CHECK(connection.read() == large + expected);
}

TEST_CASE("TLS: more than a record is not sealed") {
    Connection connection;
    std::string sealed;
    CHECK_FALSE(connection.server->seal(std::string(16 * 1024 + 1, 'x'), sealed));
    CHECK(connection.server->seal("x", sealed));
}
