// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The values that something is called with. */
record CallArguments(List<Object> positional, Map<String, Object> named) {
    static final CallArguments NONE = new CallArguments(List.of(), Map.of());

    /** By its place or its name. */
    Object get(int index, String name, Object fallback) {
        return index < positional.size() ? positional.get(index) : named.getOrDefault(name, fallback);
    }

    /** @throws TemplateFault if it is not given */
    Object require(int index, String name) {
        if (index >= positional.size() && !named.containsKey(name)) {
            throw new TemplateFault(Message.of("the argument '%s' is missing", name));
        }
        return get(index, name, null);
    }

    String text(int index, String name) {
        return Values.requireText(require(index, name));
    }

    long integer(int index, String name, long fallback) {
        Object value = get(index, name, null);
        return value == null ? fallback : Values.requireInteger(value);
    }

    /**
     * @param most how many may stand without a name
     * @throws TemplateFault if there are more, or one of another name
     */
    CallArguments only(int most, String... names) {
        if (positional.size() > most) {
            throw new TemplateFault(Message.of("it is called with more than %d arguments", most));
        }
        Set<String> known = Set.of(names);
        for (String name : named.keySet()) {
            if (!known.contains(name)) {
                throw new TemplateFault(Message.of("it is called with an unknown argument '%s'", name));
            }
        }
        return this;
    }
}
