// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.core.TelechatException;
import io.telechat.infer.Speculation;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code ngram}, {@code ngram:N}, {@code DIR} or {@code DIR:N}. */
final class SpeculationConverter implements ITypeConverter<Speculation> {
    private static final Pattern FORM = Pattern.compile("(.+?)(?::(\\d{1,4}))?");
    private static final int STANDARD = 8;

    @Override
    public Speculation convert(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException(Message.localized("'%s' is no way to guess: ngram[:N] or DIR[:N]", text));
        }
        int tokens = matcher.group(2) == null ? STANDARD : Integer.parseInt(matcher.group(2));
        try {
            return matcher.group(1).equals("ngram")
                    ? Speculation.ngram(tokens)
                    : Speculation.model(ModelOptions.found(Path.of(matcher.group(1))), tokens);
        } catch (TelechatException e) {
            throw new TypeConversionException(e.getLocalizedMessage());
        }
    }
}
