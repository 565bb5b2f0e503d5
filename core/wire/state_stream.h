/* state_stream.h: what the ledger's state holds of streams of devices.
 *
 *   kind            id                                  value
 *   stream          stream id                           struct sy_stream
 *   stream commit   pair(stream, u64 number padded)     struct sy_stream_commit_entry
 *   stream gap      pair(stream, u64 number padded)     struct sy_stream_gap
 *   stream alert    pair(stream, u64 number padded)     struct sy_stream_alert_entry
 *   firmware        device id                           struct sy_firmware; absent: none attested
 *   stream newest   pair(device, whose and of what)     struct sy_stream_newest
 *
 * Numbers count from 1 without a hole, and the stream's entry says up to which: commitments 1 to n
 * prove that there is no other, and so do gaps and alerts. Windows are [from, to) and ascend, also
 * from one stream to the next that a device has of the same patient and kind: at most one of them
 * is open, and a gap may stand before a stream's first window, then. Encodings as in state.h. No
 * sample, nor anything computed of samples, stands here: a lowest and a highest value would tell
 * what a patient has as well as the samples do. */
#ifndef SY_WIRE_STATE_STREAM_H
#define SY_WIRE_STATE_STREAM_H

#include "core/wire/state.h"

/*   32 device | 32 patient | 32 organisation | u16 system | bytes16 kind | bytes16 unit | u32 rate
 *   | u32 tolerance | 32 consent | list care team | u8 flags (1 closed) | u32 commits | u32 gaps
 *   | u32 alerts | i64 until, 0: no window | u64 samples | u64 height | i64 time
 *   | [u16 reason | u64 height | i64 time] */
struct sy_stream {
    struct sy_hash device;
    struct sy_hash patient;
    struct sy_hash organisation; /* that answers for the device */
    uint16_t system;             /* enum sy_stream_system */
    struct sy_slice kind;        /* borrowed text */
    struct sy_slice unit;        /* borrowed text */
    uint32_t rate;               /* samples an hour, at most */
    uint32_t tolerance_s;
    struct sy_hash consent;
    struct sy_list care_team; /* borrowed ids; whom the patient lets be told of alerts */
    bool closed;
    uint32_t commits, gaps, alerts; /* how many there are */
    int64_t until_ms;               /* where the last window ended, this stream's or one's before */
    uint64_t samples;               /* committed to, in all */
    uint64_t height;
    int64_t time_ms;
    uint16_t close_reason;
    uint64_t closed_height;
    int64_t closed_ms;
};
void sy_stream_encode(struct sy_writer *w, const struct sy_stream *stream);
bool sy_stream_decode(struct sy_stream *stream, struct sy_slice bytes);

/*   32 key | u32 release | i64 from | i64 to | u32 samples | 32 root | u8 flags (1 backfill, 2 gap)
 *   | u64 height | i64 time */
struct sy_stream_commit_entry {
    struct sy_public_key key; /* that signed it */
    uint32_t release;
    int64_t from_ms, to_ms;
    uint32_t samples;
    struct sy_hash root;
    bool backfill;
    bool gap; /* more than the stream's tolerance is missing before it */
    uint64_t height;
    int64_t time_ms;
};
void sy_stream_commit_encode(struct sy_writer *w, const struct sy_stream_commit_entry *commit);
bool sy_stream_commit_decode(struct sy_stream_commit_entry *commit, struct sy_slice bytes);

/* Time between two windows of which nothing is committed to. The one before may be an earlier
 * stream's, if the sequence is 1.
 *
 *   i64 from | i64 to | u32 sequence of the commit after it */
struct sy_stream_gap {
    int64_t from_ms, to_ms;
    uint32_t sequence;
};
void sy_stream_gap_encode(struct sy_writer *w, const struct sy_stream_gap *gap);
bool sy_stream_gap_decode(struct sy_stream_gap *gap, struct sy_slice bytes);

/*   32 key | 32 rule | u16 level | i64 at | u64 height | i64 time */
struct sy_stream_alert_entry {
    struct sy_public_key key; /* that raised it */
    struct sy_hash rule;      /* a salted commitment */
    uint16_t level;           /* enum sy_alert_level */
    int64_t at_ms;
    uint64_t height;
    int64_t time_ms;
};
void sy_stream_alert_encode(struct sy_writer *w, const struct sy_stream_alert_entry *alert);
bool sy_stream_alert_decode(struct sy_stream_alert_entry *alert, struct sy_slice bytes);

/*   u32 release | 32 firmware | 32 attest | 32 key | i64 until | u64 height | i64 time */
struct sy_firmware {
    uint32_t release;
    struct sy_hash firmware;
    struct sy_hash attest;
    struct sy_public_key key; /* that attested it */
    int64_t until_ms;
    uint64_t height;
    int64_t time_ms;
};
void sy_firmware_encode(struct sy_writer *w, const struct sy_firmware *firmware);
bool sy_firmware_decode(struct sy_firmware *firmware, struct sy_slice bytes);

/* The newest stream that a device has, or had, of a patient and kind: 32 stream. */
struct sy_stream_newest {
    struct sy_hash stream;
};
void sy_stream_newest_encode(struct sy_writer *w, const struct sy_stream_newest *newest);
bool sy_stream_newest_decode(struct sy_stream_newest *newest, struct sy_slice bytes);
/* sy_state_key_newest: pair(device, SHA-256(0x04 || patient || SHA-256(u16 system || kind))). kind:
 * of the table, at most SY_CODE_BYTES_MAX. */
void sy_state_key_newest(struct sy_hash *out, const struct sy_hash *device,
                         const struct sy_hash *patient, uint16_t system, struct sy_slice kind);

/* sy_stream_key_of is sy_state_key_of for what stands here. sy_state_key_stream names the entry of
 * one of the numbered kinds. */
bool sy_stream_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                      const struct sy_hash *second);
void sy_state_key_stream(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *stream,
                         uint64_t number);

/* The published table of what streams may be of. sy_stream_kind_find gives a kind's row, NULL:
 * there is none; sy_stream_kind_at the position-th one, NULL after the last. units: UCUM codes, a
 * blank between them. sy_stream_unit_good: the row has this unit. */
struct sy_stream_kind {
    uint16_t system; /* enum sy_stream_system */
    const char *code;
    const char *name;
    const char *units;
};
const struct sy_stream_kind *sy_stream_kind_at(unsigned position);
const struct sy_stream_kind *sy_stream_kind_find(uint16_t system, struct sy_slice code);
bool sy_stream_unit_good(const struct sy_stream_kind *kind, struct sy_slice unit);

/* sy_stream_samples_max is how many samples a window of this length may have: a tenth more than the
 * rate (samples an hour) says, since clocks differ. span_ms: 0 to SY_STREAM_SPAN_MS_MAX. */
uint64_t sy_stream_samples_max(uint32_t rate, int64_t span_ms);

#endif
