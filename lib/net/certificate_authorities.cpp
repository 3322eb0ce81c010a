#include "net/certificate_authorities.hpp"

#include <cstdlib>
#include <filesystem>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <system_error>
#include <unistd.h>

namespace sse {

namespace {

/// OpenSSL finds a certificate in a directory only by such a name, `5f3b8cf2.0`
/// (openssl-rehash(1)).
bool has_hashed_names(const char* directory) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        if (entry.path().extension() == ".0") return true;
    }
    return false;
}

} // namespace

std::string find_authorities(const std::string& root) {
    for (const char* const place : {
             "/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch, Gentoo
             "/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL
             "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora without the link
             "/etc/ssl/ca-bundle.pem",                            // SUSE
             "/etc/ssl/cert.pem",                                 // Alpine, FreeBSD, macOS
             "/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD, by its package
             "/opt/homebrew/etc/ca-certificates/cert.pem",        // Homebrew
         }) {
        if (auto path = root + place; ::access(path.c_str(), R_OK) == 0) return path;
    }
    return {};
}

void trust_system_authorities(ssl_ctx_st* context) {
    SSL_CTX_set_default_verify_paths(context);
    for (const char* const variable :
         {X509_get_default_cert_file_env(), X509_get_default_cert_dir_env()}) {
        if (std::getenv(variable) != nullptr) return;
    }
    if (::access(X509_get_default_cert_file(), R_OK) == 0 ||
        has_hashed_names(X509_get_default_cert_dir()))
        return;
    const auto bundle = find_authorities();
    if (!bundle.empty()) SSL_CTX_load_verify_locations(context, bundle.c_str(), nullptr);
}

} // namespace sse
