// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Rules of the modules that put a model behind somebody else's interfaces. */
public final class AdapterRules {
    /** Of the library, what any application could have written against; and what every library may use. */
    private static final List<String> PUBLIC = List.of(
            "java..",
            "com.fasterxml..",
            "org.slf4j..",
            "io.telechat.core",
            "io.telechat.core.chat",
            "io.telechat.core.tensor",
            "io.telechat.core.tokenizer",
            "io.telechat.infer",
            "io.telechat.infer.engine",
            "io.telechat.infer.generation",
            "io.telechat.infer.grammar",
            "io.telechat.infer.tools");

    private AdapterRules() {}

    /** @param others the module itself, and the packages of those whose interfaces it has */
    public static ArchRule standsOnTheLibrarysPublicPackages(String... others) {
        return classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        Stream.concat(PUBLIC.stream(), Stream.of(others)).toArray(String[]::new));
    }

    /** @param names of all public classes, without their package: what users need, or what is found by its name */
    public static ArchRule nothingElseIsPublic(Set<String> names) {
        return classes()
                .that()
                .arePublic()
                .should(ArchConditions.be(DescribedPredicate.describe(
                        "among what users need",
                        type -> names.contains(
                                type.getName().substring(type.getPackageName().length() + 1)))));
    }
}
