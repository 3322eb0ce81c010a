#include "net/certificate_authorities.hpp"
#include "net/name_service.hpp"

#include "unit/catch2.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

TEST_CASE("localhost and the names below it are this machine") {
    for (const char* const name : {"localhost", "LocalHost", "localhost.", "app.localhost"})
        CHECK(sse::is_localhost(name));
    for (const char* const name : {"", "local", "mylocalhost", "localhost.example", "localhost..",
                                   "127.0.0.1", ".", "calhost"})
        CHECK(!sse::is_localhost(name));
}

TEST_CASE("the certificates of a system are found where it has them") {
    std::string root = "/tmp/sse-root-XXXXXX";
    REQUIRE(::mkdtemp(root.data()) != nullptr);
    CHECK(sse::find_authorities(root).empty());
    for (const char* const place :
         {"/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/certs/ca-certificates.crt"}) { // each is preferred to those before it
        const std::filesystem::path path = root + place;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << "";
        CHECK(sse::find_authorities(root) == path.string());
    }
    std::filesystem::remove_all(root);
}
