// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.html;

import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A page of HTML in one file, light or dark as its reader likes it. It may load nothing, whatever is on it.
 *
 * @param title plain text
 * @param style CSS behind what all pages have
 * @param main HTML of what is below the title
 * @param script without ampersands and less-than signs, so that the page is XML, too
 */
public record Page(String title, String style, String main, String script) {
    private static final String COMMON = resource(Page.class, "page.css");

    /** A text file beside a class. */
    public static String resource(Class<?> beside, String name) {
        try (InputStream in = beside.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All of it. */
    public String html() {
        String heading = Html.escape(title);
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta http-equiv="Content-Security-Policy"
             content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"/>
            <title>%s</title>
            <style>
            %s%s</style></head>
            <body><header><h1>%s</h1></header><main>
            %s</main><script>
            %s</script></body></html>
            """.formatted(heading, COMMON, style, heading, main, script);
    }

    /**
     * The file gets its name when it is whole.
     *
     * @throws InvalidInputException if it cannot be written
     */
    public void write(Path file) {
        Path temporary = file.resolveSibling("." + file.getFileName() + ".tmp");
        try {
            try {
                Files.writeString(temporary, html());
                Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", file, IoReason.of(e));
        }
    }
}
