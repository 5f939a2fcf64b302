// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import io.telechat.core.checkpoint.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Tells whether texts are the same ones as another time. */
public final class Digest {
    private static final int SHOWN = 16;

    private final MessageDigest digest = Sha256.digest();

    /** Adds a text; where it ends counts. */
    public void add(String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    /** The beginning of a SHA-256, in hexadecimal; nothing can be added after it. */
    public String text() {
        return HexFormat.of().formatHex(digest.digest(), 0, SHOWN);
    }
}
