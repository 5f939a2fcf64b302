// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import io.telechat.server.http.HttpReply;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/** The chat page and its files, read once from a fixed list of names. They ask nobody else for anything. */
public final class Page {
    private static final Map<String, String> TYPES = Map.of(
            "/", "text/html; charset=utf-8",
            "/chat.css", "text/css; charset=utf-8",
            "/chat.js", "text/javascript; charset=utf-8",
            "/markdown.js", "text/javascript; charset=utf-8",
            "/texts.js", "text/javascript; charset=utf-8",
            "/icon.svg", "image/svg+xml");
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final Map<String, HttpReply> files = new HashMap<>();

    public Page() {
        TYPES.forEach((path, type) -> files.put(
                path,
                new HttpReply(
                        200,
                        type,
                        Map.of(
                                "Content-Security-Policy", POLICY,
                                "X-Content-Type-Options", "nosniff",
                                "Referrer-Policy", "no-referrer",
                                "Cache-Control", "no-cache"),
                        read(path.equals("/") ? "/index.html" : path))));
    }

    private static byte[] read(String name) {
        try (InputStream in = Page.class.getResourceAsStream("/io/telechat/server/page" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean has(String path) {
        return files.containsKey(path);
    }

    HttpReply get(String path) {
        return files.get(path);
    }
}
