// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.html;

/** Text that is safe within a page. The pages are well-formed XML, too. */
public final class Html {
    private static final int REPLACEMENT = 0xfffd;

    private Html() {}

    /** Between tags and in quoted attributes. */
    public static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(isAllowed(c) ? c : REPLACEMENT);
            }
        });
        return out.toString();
    }

    /** JSON as the content of a script element: the same values, but nothing in it ends the element. */
    public static String escapeJson(String json) {
        StringBuilder out = new StringBuilder(json.length());
        json.codePoints().forEach(c -> {
            if (c == '<' || c == '>' || c == '&' || !isAllowed(c)) {
                out.append(String.format("\\u%04x", c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    /** Characters of XML 1.0 (w3.org/TR/xml, section 2.2), controls left out that HTML forbids. */
    private static boolean isAllowed(int c) {
        return c == '\n'
                || c == '\t'
                || !Character.isISOControl(c)
                        && (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                        && c < 0xfffe
                || c > 0xffff;
    }
}
