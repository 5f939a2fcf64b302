// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What comes before a request's body.
 *
 * @param method as sent
 * @param target as sent, up to the question mark
 * @param headers by their names in lower case
 */
public record RequestHead(String method, String target, Map<String, List<String>> headers) {
    /** The only value of a header; empty if there is none, or several. */
    public Optional<String> header(String name) {
        List<String> values = headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of());
        return values.size() == 1 ? Optional.of(values.getFirst()) : Optional.empty();
    }
}
