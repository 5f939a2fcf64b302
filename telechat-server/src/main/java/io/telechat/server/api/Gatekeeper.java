// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import io.telechat.core.InvalidRequestException;
import io.telechat.server.http.RequestHead;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Who may ask. The Host header must be one of this server's, so that no page elsewhere can have a browser ask under a name of its own
 * (DNS rebinding). Where there are keys, one must come with the request.
 */
public final class Gatekeeper {
    private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Set<String> hosts;
    private final List<byte[]> keyHashes;

    /**
     * @param hosts names under which this server may be asked besides those of the own machine; {@code *} for any
     * @param keys that let in; empty if none is needed
     */
    public Gatekeeper(Set<String> hosts, List<String> keys) {
        this.hosts = Set.copyOf(hosts);
        this.keyHashes = keys.stream().map(Gatekeeper::hash).toList();
        if (keys.stream().anyMatch(String::isBlank)) {
            throw new InvalidRequestException("an API key is empty");
        }
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    void checkHost(RequestHead head) {
        String given = head.header("host").orElse("").toLowerCase(Locale.ROOT);
        String host = given.replaceFirst(":\\d{1,5}$", "");
        if (!LOCAL.contains(host) && !hosts.contains(host) && !hosts.contains("*")) {
            throw new ApiException(
                    403,
                    "permission_error",
                    null,
                    null,
                    "this server is not to be asked under this Host; --allowed-host allows others");
        }
    }

    void checkKey(RequestHead head) {
        if (keyHashes.isEmpty()) {
            return;
        }
        String given = head.header("authorization").orElse("");
        boolean bearer = given.regionMatches(true, 0, "Bearer ", 0, 7);
        byte[] hash = hash(bearer ? given.substring(7) : "");
        boolean known = false;
        for (byte[] key : keyHashes) {
            known |= MessageDigest.isEqual(key, hash); // all of them, so that time tells nothing
        }
        if (!bearer || !known) {
            throw new ApiException(
                    401,
                    "authentication_error",
                    null,
                    "invalid_api_key",
                    "this server wants a key: Authorization: Bearer KEY");
        }
    }
}
