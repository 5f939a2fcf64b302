// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The keys of a JSON file that would change the result if they were obeyed, and are not: a file that asks for one of them is
 * refused by name, rather than got wrong in silence. All other unknown keys are harmless and pass. Every reader of files that
 * others write has such rules beside the keys that it obeys.
 */
public final class KeyRules {
    private static final int SHOWN = 80;

    /** What the keys ask for, said in complaints: "telechat does not …". */
    private final String complaint;

    private final List<Rule> rules = new ArrayList<>();

    private record Rule(String key, Predicate<JsonNode> harmless) {}

    private KeyRules(String complaint) {
        this.complaint = complaint;
    }

    /** @param complaint the format of a message about a key and its value */
    public static KeyRules saying(String complaint) {
        return new KeyRules(complaint);
    }

    /** Keys that may be there only with nothing in them: null, false, 0, empty. */
    public KeyRules refuse(String... keys) {
        for (String key : keys) {
            rules.add(new Rule(key, KeyRules::isNothing));
        }
        return this;
    }

    /** A key that may be there only with nothing in it, or with one of these values. */
    public KeyRules only(String key, Object... values) {
        rules.add(new Rule(key, node -> isNothing(node) || isOneOf(node, values)));
        return this;
    }

    /** A key that may be left out, or have one of these values; nothing, 0 and false mean something. */
    public KeyRules exactly(String key, Object... values) {
        rules.add(new Rule(key, node -> node.isMissingNode() || node.isNull() || isOneOf(node, values)));
        return this;
    }

    /** A key whose value decides. */
    public KeyRules only(String key, Predicate<JsonNode> harmless) {
        rules.add(new Rule(key, node -> isNothing(node) || harmless.test(node)));
        return this;
    }

    /** The same rules but those for some keys. */
    public KeyRules without(Set<String> keys) {
        KeyRules others = new KeyRules(complaint);
        rules.stream().filter(rule -> !keys.contains(rule.key())).forEach(others.rules::add);
        return others;
    }

    private static boolean isNothing(JsonNode node) {
        return node.isMissingNode()
                || node.isNull()
                || node.isBoolean() && !node.booleanValue()
                || node.isNumber() && node.doubleValue() == 0
                || node.isTextual() && node.textValue().isEmpty()
                || node.isContainerNode() && node.isEmpty();
    }

    private static boolean isOneOf(JsonNode node, Object... values) {
        for (Object value : values) {
            boolean same = value instanceof Number number && node.isNumber()
                    ? node.doubleValue() == number.doubleValue()
                    : node.asText().equals(value.toString());
            if (same) {
                return true;
            }
        }
        return false;
    }

    /** The first key that asks for something, as a sentence without a subject; empty if none does. */
    public Optional<Message> complaint(JsonNode json) {
        for (Rule rule : rules) {
            JsonNode value = json.path(rule.key());
            if (!rule.harmless().test(value)) {
                String text = value.toString();
                return Optional.of(Message.of(
                        complaint, rule.key(), text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…"));
            }
        }
        return Optional.empty();
    }

    /**
     * @param source to name in the complaint
     * @throws InvalidModelException naming the first key that asks for something
     */
    public void check(Object source, JsonNode json) {
        complaint(json).ifPresent(complaint -> {
            throw new InvalidModelException("%s: %s", source, complaint);
        });
    }
}
