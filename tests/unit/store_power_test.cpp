// What a store holds after the power was lost: synced bytes are there, and of each block that was
// not synced the new bytes, the old ones, zeros or garbage.
#include "base/random.hpp"
#include "unit/store_rig.hpp"

#include <cstdlib>
#include <map>
#include <set>

using test::event;

namespace {

constexpr std::size_t block_bytes = 512;

/// The bytes of a file as the disk has them, and as the process sees them.
struct DiskImage {
    std::string synced, seen;
};

/// Files in memory that know what was synced. Names are as safe as the last sync_directory().
class PowerFiles : public sse::StoreFiles {
public:
    using Images = std::map<std::string, std::shared_ptr<DiskImage>>;

    /// `directory` has the lock only. The images must outlive it.
    PowerFiles(const std::string& directory, Images& seen, Images& synced, std::mutex& mutex)
        : StoreFiles(directory)
        , seen_(seen)
        , synced_(synced)
        , mutex_(mutex) {}

    std::unique_ptr<sse::StoreFile> open(const std::string& name, Mode mode) override {
        const std::lock_guard lock(mutex_);
        auto& image = seen_[name];
        if (mode == Mode::create) image = std::make_shared<DiskImage>();
        if (!image) {
            seen_.erase(name);
            throw std::system_error(ENOENT, std::generic_category(), "cannot open " + name);
        }
        return std::make_unique<File>(image, mutex_);
    }
    std::vector<std::string> list() const override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto& [name, image] : seen_) names.push_back(name);
        return names;
    }
    void remove(const std::string& name) override {
        const std::lock_guard lock(mutex_);
        seen_.erase(name);
    }
    void rename(const std::string& from, const std::string& to) override {
        const std::lock_guard lock(mutex_);
        seen_[to] = seen_.at(from);
        seen_.erase(from);
    }
    void sync_directory() override {
        const std::lock_guard lock(mutex_);
        synced_ = seen_;
    }

private:
    class File : public sse::StoreFile {
    public:
        File(std::shared_ptr<DiskImage> image, std::mutex& mutex)
            : image_(std::move(image))
            , mutex_(mutex) {}
        void write(std::span<const std::string_view> pieces, std::uint64_t offset) override {
            const std::lock_guard lock(mutex_);
            for (const auto piece : pieces) {
                if (image_->seen.size() < offset + piece.size())
                    image_->seen.resize(offset + piece.size());
                image_->seen.replace(offset, piece.size(), piece);
                offset += piece.size();
            }
        }
        std::size_t read(char* to, std::size_t size, std::uint64_t offset) const override {
            const std::lock_guard lock(mutex_);
            if (offset >= image_->seen.size()) return 0;
            return image_->seen.copy(to, size, offset);
        }
        std::uint64_t size() const override {
            const std::lock_guard lock(mutex_);
            return image_->seen.size();
        }
        void truncate(std::uint64_t size) override {
            const std::lock_guard lock(mutex_);
            image_->seen.resize(size);
        }
        void sync() override {
            const std::lock_guard lock(mutex_);
            image_->synced = image_->seen;
        }

    private:
        const std::shared_ptr<DiskImage> image_;
        std::mutex& mutex_;
    };

    Images& seen_;
    Images& synced_;
    std::mutex& mutex_;
};

/// What the disk makes of a file.
std::string after_power_loss(const DiskImage& image, sse::SeededRandom& dice) {
    auto size = image.synced.size();
    if (image.seen.size() > size) size += dice.below(image.seen.size() - size + 1);
    std::string out = image.synced;
    out.resize(size, '\0');
    for (std::size_t begin = 0; begin < size; begin += block_bytes) {
        const auto length = std::min(block_bytes, size - begin);
        const auto now = begin < image.seen.size() ? image.seen.substr(begin, length) : "";
        if (begin < image.synced.size() && now == image.synced.substr(begin, length)) continue;
        // Bytes that were synced are never lost, also where their block has others.
        const auto kept = begin < image.synced.size() ? image.synced.size() - begin : 0;
        for (auto at = begin + std::min(kept, length); at < begin + length; ++at) {
            switch (dice.below(4) == 0 ? 3 : (begin / block_bytes + size) % 3) {
            case 0: out[at] = at < image.seen.size() ? image.seen[at] : '\0'; break;
            case 1: out[at] = '\0'; break;
            default: out[at] = static_cast<char>(dice.below(256)); break;
            }
        }
    }
    return out;
}

} // namespace

TEST_CASE("What was answered survives a loss of power, and nothing wrong is read") {
    const auto* const asked = std::getenv("SSE_POWER_LOSSES"); // 400 is for a night
    const auto losses = asked ? std::strtoull(asked, nullptr, 10) : 20;
    for (std::uint64_t seed = 0; seed < losses; ++seed) {
        INFO("seed " << seed);
        sse::SeededRandom dice(seed);
        const test::TemporaryDirectory directory;
        PowerFiles::Images seen, synced;
        std::mutex mutex;
        std::map<std::string, std::string> written; // id: block, of all that was delivered
        std::vector<std::string> answered;
        for (int life = 0; life < 3; ++life) {
            sse::StoreOptions options;
            options.segment_bytes = 4'000;
            options.sync = {dice.below(2) == 0 ? sse::StoreSync::When::always
                                               : sse::StoreSync::When::interval,
                            std::chrono::milliseconds(1'000'000)};
            PowerFiles::Images at_the_loss, names_at_the_loss;
            {
                test::Store store(
                    std::make_unique<PowerFiles>(directory.path(), seen, synced, mutex), options);
                const auto all = store.all();
                std::string text;
                for (const auto& block : all) text += block;
                for (const auto& id : answered) CHECK(text.find("id: " + id + "\n") != text.npos);
                std::set<std::string> once;
                for (const auto& block : all) {
                    const auto at = block.rfind("id: ") + 4;
                    const auto id = block.substr(at, block.find('\n', at) - at);
                    CHECK(once.insert(id).second);
                    REQUIRE(written.contains(id));
                    CHECK(written.at(id) == block);
                }
                const auto events = 5 + dice.below(40);
                for (std::uint64_t i = 0; i < events; ++i) {
                    auto batch =
                        event(std::string(dice.below(900), 'd'), fmt::format("{}-0", life));
                    if (dice.below(3) == 0) {
                        const auto receipt = store.store(std::move(batch));
                        REQUIRE(receipt.stored);
                        answered.push_back(receipt.ids.substr(0, receipt.ids.size() - 1));
                    } else {
                        REQUIRE(store.append(std::move(batch)));
                    }
                }
                store.sink->wait(
                    [&](const auto& it) { return it.ids().size() >= all.size() + events; });
                for (std::size_t i = 0; i < store.sink->ids().size(); ++i)
                    written.emplace(store.sink->ids()[i], store.sink->blocks()[i]);
                const std::lock_guard lock(mutex); // now
                for (const auto& [name, image] : seen)
                    at_the_loss[name] = std::make_shared<DiskImage>(*image);
                for (const auto& [name, image] : synced)
                    names_at_the_loss[name] = std::make_shared<DiskImage>(*image);
            }
            // Names that were made or removed since the last sync are there or not.
            PowerFiles::Images left;
            for (const auto& [name, image] : at_the_loss) {
                if (names_at_the_loss.contains(name) || dice.below(2) == 0) left[name] = image;
            }
            for (const auto& [name, image] : names_at_the_loss) {
                if (!at_the_loss.contains(name) && dice.below(2) == 0) left[name] = image;
            }
            for (auto& [name, image] : left) {
                auto bytes = after_power_loss(*image, dice);
                image = std::make_shared<DiskImage>(DiskImage{bytes, bytes});
            }
            seen = synced = left;
        }
    }
}
