using System.CommandLine;
using System.CommandLine.Parsing;

namespace Lorikeet.Cli;

/// <summary>What the parser of the command line says about wrong use, in plain words.</summary>
internal static class UsageErrors
{
    // texts, which may be empty; every other text names something
    private static readonly string[] Texts = ["PROMPT", "--system"];

    /// <summary>The parser's message; types are described, not named.</summary>
    public static string Plain(ParseError error) => error.SymbolResult switch
    {
        OptionResult { Option: var option, Tokens: [.., { Value: var found }] } when error.Message.Contains("expected type", StringComparison.Ordinal) => $"{option.Name} {found}: {Describe(option.ValueType)} was expected",
        ArgumentResult { Argument: var argument, Tokens: [.., { Value: var found }] } when error.Message.Contains("expected type", StringComparison.Ordinal) => $"{argument.Name} {found}: {Describe(argument.ValueType)} was expected",
        _ => error.Message,
    };

    /// <summary>Makes an empty path or name wrong use, in this command and those below it.</summary>
    public static void RefuseEmptyNames(Command command)
    {
        foreach (Option option in command.Options.Where(option => IsText(option.ValueType) && !Texts.Contains(option.Name)))
            option.Validators.Add(result => Check(result, option.Name));
        foreach (Argument argument in command.Arguments.Where(argument => IsText(argument.ValueType) && !Texts.Contains(argument.Name)))
            argument.Validators.Add(result => Check(result, argument.Name));
        foreach (Command inner in command.Subcommands)
            RefuseEmptyNames(inner);
    }

    private static void Check(SymbolResult result, string name)
    {
        if (result.Tokens.Any(token => token.Value.Length == 0))
            result.AddError($"{name}: is empty");
    }

    private static bool IsText(Type type) => type == typeof(string) || type == typeof(string[]);

    private static string Describe(Type type)
    {
        type = type.IsArray ? type.GetElementType()! : Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(bool) ? "true or false"
            : type == typeof(double) ? "a number"
            : type == typeof(ulong) ? $"a whole number from 0 to {ulong.MaxValue}"
            : $"a whole number up to {int.MaxValue}";
    }
}
