using System.CommandLine;
using System.Globalization;

namespace Lorikeet.Cli;

/// <summary>Options whose values are whole numbers within bounds.</summary>
internal static class Bounds
{
    /// <summary>Takes numbers from the least to the most; what is no number at all, the parser tells.</summary>
    /// <param name="option">Of one number or several.</param>
    /// <param name="least">The least.</param>
    /// <param name="most">The most.</param>
    /// <param name="why">Follows the message: why there are bounds, or what to do.</param>
    public static void AcceptBetween(this Option option, int least, int most, string why = "") => option.Validators.Add(result =>
    {
        foreach (string found in result.Tokens.Select(token => token.Value))
        {
            if (int.TryParse(found, CultureInfo.InvariantCulture, out int number) && (number < least || number > most))
                result.AddError($"{option.Name} {found}: a number between {least} and {most} was expected{why}");
        }
    });
}
