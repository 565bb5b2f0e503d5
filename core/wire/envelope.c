/* envelope.c: see envelope.h. */
#include "core/wire/envelope.h"

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "core/wire/genesis.h"
#include "core/wire/schema.h"

#define MAGIC_BYTES 8u
#define CHUNK SY_ENVELOPE_CHUNK_BYTES
#define TAG SY_AEAD_TAG_BYTES

_Static_assert(SY_ENVELOPE_WRAP_BYTES == 80, "envelope.h and FORMAT.md say so");
_Static_assert(SY_ENVELOPE_KEY_BYTES == SY_AEAD_KEY_BYTES, "the content key is AES-256-GCM's");
_Static_assert(SY_NETWORK_TAG_BYTES == 16, "envelope.h says so");

static const uint8_t magic[MAGIC_BYTES] = {'S', 'Y', 'E', 'N', 'V', 'E', 'L', '1'};
static const char wrap_info[] = "systole-envelope-v1";
static const char wrapped_domain[] = "systole-wrapped-v1";

bool sy_envelope_is(struct sy_slice bytes)
{
    return bytes.size >= sizeof magic && memcmp(bytes.data, magic, sizeof magic) == 0;
}

static uint64_t chunk_count(uint64_t body_bytes)
{
    return (body_bytes + CHUNK - 1) / CHUNK;
}

size_t sy_envelope_bytes(size_t body_bytes, unsigned wraps)
{
    return SY_ENVELOPE_HEAD_BYTES + 2 + wraps * (size_t)SY_ENVELOPE_WRAP_BYTES + body_bytes +
           (size_t)chunk_count(body_bytes) * TAG;
}

static bool body_size_fits(uint64_t size)
{
    return size >= SY_ENVELOPE_BODY_MIN && size <= SY_ENVELOPE_BODY_MAX;
}

bool sy_envelope_decode(struct sy_envelope *envelope, struct sy_slice bytes, const char **what)
{
    struct sy_reader r = sy_reader_of(bytes);
    *envelope = (struct sy_envelope){.wrap_count = 0};
    if (!sy_envelope_is(bytes)) sy_reader_fail(&r, "magic: this is no .syenvelope file");
    (void)sy_read_raw(&r, sizeof magic, "magic");
    struct sy_slice network = sy_read_raw(&r, sizeof envelope->network, "network tag");
    sy_read_hash(&r, &envelope->id, "envelope id");
    envelope->body_bytes = sy_read_u64(&r, "size of the body");
    if (!r.failed && !body_size_fits(envelope->body_bytes)) {
        sy_reader_fail(&r, "size of the body: out of bounds");
    }
    envelope->wrap_count =
        sy_read_count16(&r, SY_ENVELOPE_WRAPS_MAX, SY_ENVELOPE_WRAP_BYTES, "wraps");
    if (!r.failed && envelope->wrap_count == 0) sy_reader_fail(&r, "wraps: there are none");
    size_t wraps_bytes = envelope->wrap_count * (size_t)SY_ENVELOPE_WRAP_BYTES;
    envelope->wraps = sy_read_raw(&r, wraps_bytes, "wraps");
    uint64_t sealed = envelope->body_bytes + chunk_count(envelope->body_bytes) * TAG;
    if (!r.failed && sy_reader_left(&r) != sealed) {
        sy_reader_fail(&r, "chunks: the file was cut off, or something was added");
    }
    envelope->sealed = sy_read_raw(&r, r.failed ? 0 : (size_t)sealed, "chunks");
    bool fine = sy_reader_done(&r);
    if (!fine && what != NULL) *what = r.what != NULL ? r.what : "bytes behind the end";
    if (!fine) return false;
    memcpy(envelope->network, network.data, sizeof envelope->network);
    envelope->head = sy_slice_of(bytes.data, SY_ENVELOPE_HEAD_BYTES);
    return true;
}

// --- the body ----------------------------------------------------------------------------------

size_t sy_envelope_body_bytes(const struct sy_envelope_body *body)
{
    size_t size = SY_ENVELOPE_BODY_MIN + body->content.size + (size_t)body->padding;
    for (unsigned i = 0; i < body->proof_count; i++) size += 4 + body->proofs[i].size;
    return size;
}

static const char *body_fault(const struct sy_envelope_body *body)
{
    if (body->version == 0) return "version";
    if (sy_enum_word(&sy_enum_record_form, body->form) == NULL) return "form";
    if (body->proof_count != (body->version == 1 ? 1u : 2u)) return "proofs";
    return NULL;
}

void sy_envelope_body_encode(struct sy_writer *w, const struct sy_envelope_body *body)
{
    if (body_fault(body) != NULL) {
        w->failed = true;
        return;
    }
    sy_write_hash(w, &body->record);
    sy_write_u32(w, body->version);
    sy_write_u16(w, body->form);
    sy_write_hash(w, &body->salt);
    sy_write_u64(w, body->content.size);
    sy_write_u8(w, (uint8_t)body->proof_count);
    for (unsigned i = 0; i < body->proof_count; i++) sy_write_bytes32(w, body->proofs[i]);
    sy_write_raw(w, body->content.data, body->content.size);
    if (body->padding > w->size - w->used) w->failed = true;
    if (w->failed) return;
    memset(w->data + w->used, 0, (size_t)body->padding);
    w->used += (size_t)body->padding;
}

bool sy_envelope_body_decode(struct sy_envelope_body *body, struct sy_slice bytes,
                             const char **what)
{
    struct sy_reader r = sy_reader_of(bytes);
    *body = (struct sy_envelope_body){.version = 0};
    sy_read_hash(&r, &body->record, "record id");
    body->version = sy_read_u32(&r, "version");
    body->form = sy_read_u16(&r, "form");
    sy_read_hash(&r, &body->salt, "salt");
    uint64_t content = sy_read_u64(&r, "size of the content");
    unsigned proofs = sy_read_u8(&r, "proofs");
    body->proof_count = proofs;
    const char *fault = r.failed ? NULL : body_fault(body);
    if (fault != NULL) sy_reader_fail(&r, fault);
    for (unsigned i = 0; !r.failed && i < proofs; i++) {
        body->proofs[i] = sy_read_bytes32(&r, sy_reader_left(&r), "a proof");
    }
    if (!r.failed && content > sy_reader_left(&r)) sy_reader_fail(&r, "size of the content");
    body->content = sy_read_raw(&r, r.failed ? 0 : (size_t)content, "content");
    body->padding = sy_reader_left(&r);
    struct sy_slice zeros = sy_read_raw(&r, (size_t)body->padding, "padding");
    for (size_t i = 0; !r.failed && i < zeros.size; i++) {
        if (zeros.data[i] != 0) sy_reader_fail(&r, "padding: not zeros");
    }
    bool fine = sy_reader_done(&r);
    if (!fine && what != NULL) *what = r.what != NULL ? r.what : "bytes behind the end";
    return fine;
}

// --- keys --------------------------------------------------------------------------------------

static struct sy_slice info_of_wraps(void)
{
    return sy_slice_of(wrap_info, sizeof wrap_info - 1);
}

// Writes one wrap. False: nothing can be sealed to that key.
static bool write_wrap(struct sy_writer *w, struct sy_slice head,
                       const struct sy_envelope_key *content, const struct sy_public_key *recipient)
{
    uint8_t enc[SY_HPKE_ENC_BYTES];
    uint8_t sealed[SY_ENVELOPE_KEY_BYTES + SY_HPKE_TAG_BYTES];
    if (!sy_hpke_seal(enc, sealed, recipient, info_of_wraps(), head,
                      sy_slice_of(content->bytes, sizeof content->bytes))) {
        return false;
    }
    sy_write_raw(w, enc, sizeof enc);
    sy_write_raw(w, sealed, sizeof sealed);
    return true;
}

static struct sy_slice wrap_at(const struct sy_envelope *envelope, unsigned index)
{
    SY_ASSERT(index < envelope->wrap_count);
    return sy_slice_of(envelope->wraps.data + index * (size_t)SY_ENVELOPE_WRAP_BYTES,
                       SY_ENVELOPE_WRAP_BYTES);
}

bool sy_envelope_unwrap(struct sy_envelope_key *content, unsigned *wrap,
                        const struct sy_envelope *envelope, const sy_x25519_key *key)
{
    for (unsigned i = 0; i < envelope->wrap_count; i++) {
        struct sy_slice bytes = wrap_at(envelope, i);
        struct sy_slice sealed =
            sy_slice_of(bytes.data + SY_HPKE_ENC_BYTES, SY_ENVELOPE_KEY_BYTES + SY_HPKE_TAG_BYTES);
        *wrap = i;
        if (sy_hpke_open(content->bytes, key, bytes.data, info_of_wraps(), envelope->head,
                         sealed)) {
            return true;
        }
    }
    return false;
}

bool sy_envelope_add(struct sy_writer *w, const struct sy_envelope *envelope,
                     const struct sy_envelope_key *content, const struct sy_public_key *recipient)
{
    if (envelope->wrap_count >= SY_ENVELOPE_WRAPS_MAX) return false;
    sy_write_raw(w, envelope->head.data, envelope->head.size);
    sy_write_u16(w, (uint16_t)(envelope->wrap_count + 1u));
    sy_write_raw(w, envelope->wraps.data, envelope->wraps.size);
    if (!write_wrap(w, envelope->head, content, recipient)) return false;
    sy_write_raw(w, envelope->sealed.data, envelope->sealed.size);
    return true;
}

void sy_envelope_wrapped_hash(struct sy_hash *out, const struct sy_envelope *envelope,
                              unsigned wrap, const struct sy_public_key *recipient,
                              const struct sy_hash *record, uint32_t version)
{
    uint8_t
        room[sizeof wrapped_domain + SY_ENVELOPE_HEAD_BYTES + 32 + 4 + 32 + SY_ENVELOPE_WRAP_BYTES];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_slice bytes = wrap_at(envelope, wrap);
    sy_write_raw(&w, wrapped_domain, sizeof wrapped_domain - 1);
    sy_write_raw(&w, envelope->head.data, envelope->head.size);
    sy_write_hash(&w, record);
    sy_write_u32(&w, version);
    sy_write_public_key(&w, recipient);
    sy_write_raw(&w, bytes.data, bytes.size);
    SY_ASSERT(!w.failed);
    sy_hash_leaf(out, sy_writer_slice(&w));
}

// --- the stream --------------------------------------------------------------------------------

// Where chunk i lies, in clear and sealed, and how long it is in clear.
struct chunk {
    uint8_t nonce[SY_AEAD_NONCE_BYTES];
    size_t clear, sealed, size;
};

static struct chunk chunk_of(uint64_t body_bytes, uint64_t index)
{
    struct chunk chunk = {.clear = (size_t)(index * CHUNK),
                          .sealed = (size_t)(index * (CHUNK + TAG))};
    bool last = index + 1 == chunk_count(body_bytes);
    chunk.size = last ? (size_t)body_bytes - chunk.clear : CHUNK;
    chunk.nonce[0] = last ? 1 : 0;
    sy_store_u64(chunk.nonce + 4, index);
    return chunk;
}

static void write_chunks(struct sy_writer *w, struct sy_slice head,
                         const struct sy_envelope_key *content, struct sy_slice body)
{
    size_t size = body.size + (size_t)chunk_count(body.size) * TAG;
    if (w->failed || size > w->size - w->used) {
        w->failed = true;
        return;
    }
    sy_aead_key *key = sy_aead_key_open(content->bytes);
    for (uint64_t i = 0; i < chunk_count(body.size); i++) {
        struct chunk chunk = chunk_of(body.size, i);
        sy_aead_seal(key, w->data + w->used + chunk.sealed, chunk.nonce, head,
                     sy_slice_of(body.data + chunk.clear, chunk.size));
    }
    sy_aead_key_close(key);
    w->used += size;
}

bool sy_envelope_seal(struct sy_writer *w, unsigned *bad, const uint8_t network[16],
                      const struct sy_public_key *recipients, unsigned count, struct sy_slice body)
{
    uint8_t room[SY_ENVELOPE_HEAD_BYTES];
    struct sy_writer head = sy_writer_of(room, sizeof room);
    struct sy_envelope_key content;
    struct sy_hash id;
    bool fine = true;
    SY_ASSERT(count >= 1 && count <= SY_ENVELOPE_WRAPS_MAX && body_size_fits(body.size));
    sy_os_random(&id, sizeof id);
    sy_os_random(&content, sizeof content);
    sy_write_raw(&head, magic, sizeof magic);
    sy_write_raw(&head, network, SY_NETWORK_TAG_BYTES);
    sy_write_hash(&head, &id);
    sy_write_u64(&head, body.size);
    SY_ASSERT(!head.failed && head.used == sizeof room);
    sy_write_raw(w, room, sizeof room);
    sy_write_u16(w, (uint16_t)count);
    for (unsigned i = 0; fine && i < count; i++) {
        *bad = i;
        fine = write_wrap(w, sy_writer_slice(&head), &content, &recipients[i]);
    }
    if (fine) write_chunks(w, sy_writer_slice(&head), &content, body);
    sy_wipe(&content, sizeof content);
    return fine;
}

bool sy_envelope_open(uint8_t *room, const struct sy_envelope *envelope,
                      const struct sy_envelope_key *content)
{
    bool fine = true;
    sy_aead_key *key = sy_aead_key_open(content->bytes);
    for (uint64_t i = 0; fine && i < chunk_count(envelope->body_bytes); i++) {
        struct chunk chunk = chunk_of(envelope->body_bytes, i);
        struct sy_slice sealed =
            sy_slice_of(envelope->sealed.data + chunk.sealed, chunk.size + TAG);
        fine = sy_aead_open(key, room + chunk.clear, chunk.nonce, envelope->head, sealed);
    }
    sy_aead_key_close(key);
    if (!fine) sy_wipe(room, (size_t)envelope->body_bytes);
    return fine;
}
