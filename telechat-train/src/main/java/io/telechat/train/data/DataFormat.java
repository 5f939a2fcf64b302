// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.InvalidRequestException;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What files of data are said to be; what is not said is recognised, by their first bytes and the fields of their records.
 *
 * @param container how records lie in the files
 * @param form what each record must be
 */
public record DataFormat(Optional<Container> container, Optional<DialogForm> form) {
    /** Everything is recognised. */
    public static final DataFormat AUTO = new DataFormat(Optional.empty(), Optional.empty());

    private static final String AUTO_NAME = "auto";

    /**
     * @param name of a container or of a form, or {@code auto}
     * @throws InvalidRequestException if there is none of that name
     */
    public static DataFormat parse(String name) {
        String wanted = name.toLowerCase(Locale.ROOT).replace('_', '-');
        if (wanted.equals(AUTO_NAME)) {
            return AUTO;
        }
        Optional<Container> container = named(Container.values(), wanted);
        Optional<DialogForm> form = named(DialogForm.values(), wanted);
        if (container.isEmpty() && form.isEmpty()) {
            throw new InvalidRequestException("there is no format '%s'; choose one of %s", name, names());
        }
        return new DataFormat(container, form);
    }

    private static <T> Optional<T> named(T[] values, String name) {
        return Stream.of(values).filter(v -> v.toString().equals(name)).findFirst();
    }

    /** All that {@link #parse} takes. */
    public static String names() {
        return Stream.of(Stream.of(AUTO_NAME), Stream.of(Container.values()), Stream.of(DialogForm.values()))
                .flatMap(s -> s)
                .map(Object::toString)
                .collect(Collectors.joining(", "));
    }

    /** The name it was parsed from. */
    @Override
    public String toString() {
        return container
                .map(Container::toString)
                .or(() -> form.map(DialogForm::toString))
                .orElse(AUTO_NAME);
    }
}
