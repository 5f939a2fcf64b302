// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import java.util.LinkedHashMap;
import java.util.Map;

/** A document's fields, as a template has them, in the order in which they are replaced. */
record Fields(Map<String, String> byName) {
    static final Fields NONE = new Fields(Map.of());

    static Fields of(String name, String value) {
        return NONE.with(name, value);
    }

    /** With another one behind, or another value for one in its place. */
    Fields with(String name, String value) {
        Map<String, String> all = new LinkedHashMap<>(byName);
        all.put(name, value);
        return new Fields(all);
    }

    String in(String text) {
        String filled = text;
        for (Map.Entry<String, String> field : byName.entrySet()) {
            filled = filled.replace("{" + field.getKey() + "}", field.getValue());
        }
        return filled;
    }
}
