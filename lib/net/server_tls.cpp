#include "net/server_tls.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"
#include "net/client_tls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <utility>

namespace sse {

// ---- one connection ----

/// Where OpenSSL writes the bytes of a TlsStream.
struct TlsOutput {
    static int write(BIO* bio, const char* bytes, int size) {
        BIO_clear_retry_flags(bio);
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        const auto written = stream.write_out({bytes, static_cast<std::size_t>(size)});
        if (written < 0 && would_block()) BIO_set_retry_write(bio);
        return static_cast<int>(written);
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }
    static bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }
    static const BIO_METHOD* method() {
        using Method = std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)>;
        static const Method made = [] {
            Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"),
                          BIO_meth_free);
            BIO_meth_set_write(method.get(), write);
            BIO_meth_set_ctrl(method.get(), control);
            return method;
        }();
        return made.get();
    }
};

TlsStream::TlsStream(ssl_st* ssl, int fd)
    : ssl_(ssl)
    , fd_(fd) {
    auto* const output = BIO_new(TlsOutput::method());
    if (!output) return; // it cannot seal, then
    BIO_set_data(output, this);
    BIO_set_init(output, 1);
    SSL_set0_wbio(ssl_, output);
    can_seal_ = true;
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

/// As send(2): first what is left of seal(). Nothing of `bytes` is sent while that is not empty.
std::ptrdiff_t TlsStream::write_out(std::string_view bytes) {
    if (sealing_) {
        sealing_->append(bytes);
        return static_cast<std::ptrdiff_t>(bytes.size());
    }
    const auto send = [this](std::string_view some) {
        return ::send(fd_, some.data(), some.size(), no_sigpipe | MSG_DONTWAIT);
    };
    if (!unsent_.empty()) {
        const auto sent = send(unsent_);
        if (sent < 0) return -1;
        unsent_.erase(0, static_cast<std::size_t>(sent));
        if (!unsent_.empty()) {
            errno = EAGAIN;
            return -1;
        }
        std::string().swap(unsent_);
    }
    return bytes.empty() ? 0 : send(bytes);
}

bool TlsStream::seal(std::string_view piece, std::string& out) {
    out.clear();
    if (!can_seal_ || pending() || piece.size() > SSL3_RT_MAX_PLAIN_LENGTH) return false;
    ERR_clear_error();
    std::size_t written = 0;
    sealing_ = &out;
    const int result = SSL_write_ex(ssl_, piece.data(), piece.size(), &written);
    sealing_ = nullptr;
    return result == 1 && written == piece.size(); // else it is broken, as send() will find
}

TlsStream::Handshake TlsStream::handshake() {
    if (!peeked_) {
        char first = 0;
        const auto got = ::recv(fd_, &first, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return Handshake::wants_read;
        if (got != 1) return Handshake::failed; // the client has gone
        peeked_ = true; // a handshake begins with byte 22, a request with a letter
        if (first >= 'A' && first <= 'Z') return Handshake::plain_http;
    }
    ERR_clear_error();
    const int result = SSL_accept(ssl_);
    if (result == 1) return Handshake::done;
    switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Handshake::wants_read;
    case SSL_ERROR_WANT_WRITE: return Handshake::wants_write;
    default: broken_ = true; return Handshake::failed;
    }
}

/// Only a write may have to wait for writing, and only a read for reading (`wanted`): renegotiation
/// is off, and OpenSSL answers a key update with the next write. All else ends the connection.
/// SSL_want() does not tell one from the other: it is unchanged when the client has gone.
Transfer TlsStream::stopped(int result, int wanted) {
    const int number = errno;
    const int kind = SSL_get_error(ssl_, result);
    if (kind == wanted) return {0, true};
    broken_ = kind == SSL_ERROR_SSL || kind == SSL_ERROR_SYSCALL;
    const int error = kind == SSL_ERROR_SYSCALL && number != 0 ? number : broken_ ? EPROTO : 0;
    return {0, false, true, kind == SSL_ERROR_SYSCALL && number == ETIMEDOUT, error};
}

Transfer TlsStream::flush() {
    if (!unsent_.empty() && write_out({}) < 0) {
        if (TlsOutput::would_block()) return {0, true};
        broken_ = true;
        return {0, false, true, errno == ETIMEDOUT, errno};
    }
    std::size_t sent = 0;
    while (sent < pending_.size()) {
        ERR_clear_error();
        errno = 0;
        std::size_t written = 0;
        const int result =
            SSL_write_ex(ssl_, pending_.data() + sent, pending_.size() - sent, &written);
        if (result != 1) {
            pending_.erase(0, sent);
            return stopped(result, SSL_ERROR_WANT_WRITE);
        }
        sent += written;
    }
    std::string().swap(pending_);
    return {};
}

Transfer TlsStream::send(std::span<const std::string_view> views) {
    std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> record; // one record's worth of small views
    Transfer total;
    std::size_t at = 0, offset = 0;
    while (at < views.size()) {
        if (views[at].empty()) {
            ++at;
            continue;
        }
        auto piece = views[at].substr(offset);
        std::size_t taken = std::min(piece.size(), record.size()), next = at;
        if (taken < record.size() && at + 1 < views.size()) {
            std::memcpy(record.data(), piece.data(), taken);
            for (next = at + 1; next < views.size() && taken < record.size(); ++next) {
                const auto part = views[next].substr(0, record.size() - taken);
                std::memcpy(record.data() + taken, part.data(), part.size());
                taken += part.size();
            }
            piece = {record.data(), taken};
        }
        piece = piece.substr(0, taken);
        ERR_clear_error();
        errno = 0;
        std::size_t written = 0;
        const int result = SSL_write_ex(ssl_, piece.data(), piece.size(), &written);
        if (result != 1) {
            const auto why = stopped(result, SSL_ERROR_WANT_WRITE);
            if (!why.again) return total.bytes > 0 ? Transfer{total.bytes, true} : why;
            pending_.assign(piece);
            return {total.bytes + piece.size(), true};
        }
        total.bytes += written;
        for (offset += written; at < views.size() && offset >= views[at].size(); ++at)
            offset -= views[at].size();
    }
    return total;
}

std::uint64_t TlsStream::sent() const {
    return BIO_number_written(SSL_get_wbio(ssl_)) - unsent_.size();
}

Transfer TlsStream::receive(std::span<char> into) {
    ERR_clear_error();
    errno = 0;
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_, into.data(), into.size(), &got);
    if (result == 1) return {got};
    return stopped(result, SSL_ERROR_WANT_READ);
}

bool TlsStream::close_notify() {
    if (broken_ || ended_) return true;
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_);
    if (result < 0 && SSL_get_error(ssl_, result) == SSL_ERROR_WANT_WRITE) return false;
    ended_ = true;
    return true;
}

// ---- the context that connections share ----

namespace {

[[noreturn]] void refuse_tls(const std::string& what) {
    ERR_clear_error();
    throw Error(Errc::invalid_argument, what);
}

[[noreturn]] void refuse_file(const std::string& path, const char* what) {
    refuse_tls(fmt::format("cannot use {} as {}: {}", path, what, take_tls_error()));
}

/// OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

int choose_http1(SSL*, const unsigned char** chosen, unsigned char* size,
                 const unsigned char* offered, unsigned offered_size, void*) {
    static constexpr unsigned char http1[] = "\x08http/1.1";
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, http1, sizeof http1 - 1, offered, offered_size);
    *chosen = found;
    // RFC 7301, 3.2: a client that speaks only what we do not is told so.
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_protocol(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"); // of 1.2; 1.3's are all good
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // tickets need none
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("sse"), 3);
    SSL_CTX_set_alpn_select_cb(context, choose_http1, nullptr);
}

/// A PEM file in memory, erased when it is destroyed.
class PemFile {
public:
    PemFile(const std::string& path, const char* what, const OpenFile& open) {
        try {
            text_ = read_file(path, "", open);
        } catch (const std::system_error& e) {
            refuse_tls(fmt::format("cannot use {} as {}: {}", path, what, e.code().message()));
        }
        bio_.reset(BIO_new_mem_buf(text_.data(), static_cast<int>(text_.size())));
        if (!bio_) refuse_file(path, what);
    }
    ~PemFile() { OPENSSL_cleanse(text_.data(), text_.size()); }
    PemFile(const PemFile&) = delete;
    PemFile& operator=(const PemFile&) = delete;
    BIO* bio() const { return bio_.get(); }

private:
    std::string text_;
    std::unique_ptr<BIO, int (*)(BIO*)> bio_{nullptr, BIO_free};
};

using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

/// nullptr at the end of the file. Throws Error for one that is broken.
Certificate next_certificate(const PemFile& file, const std::string& path, const char* what) {
    Certificate next(PEM_read_bio_X509(file.bio(), nullptr, nullptr, nullptr), X509_free);
    if (next) return next;
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) refuse_file(path, what);
    ERR_clear_error();
    return next;
}

/// The server's certificate, then those that lead to an authority.
void use_certificates(SSL_CTX* context, const TlsServerOptions& options) {
    const auto& path = options.cert_file;
    const auto* const what = "a certificate";
    const PemFile file(path, what, options.open);
    const Certificate own(PEM_read_bio_X509_AUX(file.bio(), nullptr, nullptr, nullptr), X509_free);
    if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) refuse_file(path, what);
    while (auto next = next_certificate(file, path, what)) {
        if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) refuse_file(path, what);
        [[maybe_unused]] auto* const owned_by_context = next.release();
    }
}

void use_key(SSL_CTX* context, const TlsServerOptions& options) {
    const auto& path = options.key_file.empty() ? options.cert_file : options.key_file;
    const PemFile file(path, "the certificate's key", options.open);
    bool encrypted = false;
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        PEM_read_bio_PrivateKey(file.bio(), nullptr, no_passphrase, &encrypted), EVP_PKEY_free);
    if (key && SSL_CTX_use_PrivateKey(context, key.get()) == 1) return;
    const auto error = ERR_peek_last_error();
    if (encrypted) refuse_tls(fmt::format("the key in {} is encrypted", path));
    if (ERR_GET_LIB(error) == ERR_LIB_X509 &&
        (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
         ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH)) {
        refuse_tls(fmt::format("the key in {} is not that of the certificate in {}", path,
                               options.cert_file));
    }
    refuse_file(path, "the certificate's key");
}

void require_client_certificates(SSL_CTX* context, const TlsServerOptions& options) {
    const auto& path = options.client_ca_file;
    const auto* const what = "the authorities of clients";
    const PemFile file(path, what, options.open);
    std::size_t count = 0;
    while (const auto authority = next_certificate(file, path, what)) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
            SSL_CTX_add_client_CA(context, authority.get()) != 1)
            refuse_file(path, what);
        ++count;
    }
    if (count == 0) refuse_tls(fmt::format("cannot use {} as {}: no certificate", path, what));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

} // namespace

TlsServer::TlsServer(TlsServerOptions options)
    : options_(std::move(options))
    , context_(load()) {}
TlsServer::~TlsServer() = default;

TlsServer::Context TlsServer::load() const {
    ERR_clear_error();
    Context made(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    auto* const context = made.get();
    if (!context) refuse_tls("cannot set up TLS: " + take_tls_error());
    set_protocol(context);
    use_certificates(context, options_);
    use_key(context, options_);
    if (!options_.client_ca_file.empty()) require_client_certificates(context, options_);
    return made;
}

void TlsServer::reload() {
    auto fresh = load();
    const std::lock_guard lock(mutex_);
    context_.swap(fresh);
}

TlsServer::Context TlsServer::current() const {
    const std::lock_guard lock(mutex_);
    return context_;
}

std::vector<std::string> TlsServer::warnings() const {
    std::vector<std::string> result;
    const auto context = current();
    const auto* const certificate = SSL_CTX_get0_certificate(context.get());
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        result.push_back(fmt::format("the certificate in {} has expired", options_.cert_file));
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        result.push_back(fmt::format("the certificate in {} is not valid yet", options_.cert_file));
    const auto& key = options_.key_file.empty() ? options_.cert_file : options_.key_file;
    struct stat status {};
    if (::stat(key.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
        result.push_back(fmt::format(
            "{} contains a private key, and every user can read it; use chmod 600", key));
    return result;
}

std::unique_ptr<TlsStream> TlsServer::accept(int fd) {
    const auto context = current(); // a connection keeps the context it began with
    SSL* const ssl = SSL_new(context.get());
    if (!ssl) return nullptr;
    const bool reads = SSL_set_fd(ssl, fd) == 1;
    auto stream = std::make_unique<TlsStream>(ssl, fd);
    return reads ? std::move(stream) : nullptr;
}

} // namespace sse
