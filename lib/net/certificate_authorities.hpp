// Where systems keep the certificates of the authorities that they trust.
#pragma once

#include <string>

struct ssl_ctx_st;

namespace sse {

/// The bundle of a system whose root directory is `root`: the file in the place where Debian,
/// Fedora, Alpine, SUSE, FreeBSD or macOS has it. "" if there is none.
std::string find_authorities(const std::string& root = "");

/// Trusts the authorities of the system: those of SSL_CERT_FILE and SSL_CERT_DIR if one is set,
/// else OpenSSL's own places, and where those do not exist, because the program was built on
/// another system, the bundle that find_authorities() finds.
void trust_system_authorities(ssl_ctx_st* context);

} // namespace sse
