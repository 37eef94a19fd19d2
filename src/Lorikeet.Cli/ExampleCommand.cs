using System.CommandLine;

namespace Lorikeet.Cli;

/// <summary>A command whose help shows how it is typed.</summary>
internal sealed class ExampleCommand : Command
{
    /// <summary>A command.</summary>
    /// <param name="name">What is typed.</param>
    /// <param name="description">What it does, in a sentence or two.</param>
    /// <param name="example">One line a call.</param>
    public ExampleCommand(string name, string description, string example) : base(name, description) => Example = example;

    /// <summary>One line a call.</summary>
    public string Example { get; }
}
