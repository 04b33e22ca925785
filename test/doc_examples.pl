#!/usr/bin/perl
# Tries every example of a document: doc_examples.pl [-update] FILE.md ...; the compiler is $DNNC.
#
# An example is a fenced block; the words behind the fence say what must be true of it:
#   dnn, hw, map     it compiles and nothing is said about it
#   ... error        it fails with exit 1; the next block is `text`, what dnnc says
#   ... warning      it compiles; the next block is `text`, what dnnc says
#   dnn body ...     the same, of lines inside `network example(x: f32[2, 3]) { }`
#   dnn file NAME    not compiled by itself: another example imports it
#   network          what -dump=network prints of the example before
#   run              inputs of the example before, the line `gives`, and what -run prints
#   sh               lines after `$ ` are commands, the others are what they print
#   picture          not tried
#   ebnf             a grammar whose rules are all defined and used, with the words of parser.y
# Words with a `-` are options of dnnc. With -update, what dnnc prints is written into the document instead of
# compared. Exit 0: all is true; 1: something is not, and where.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Cwd qw(abs_path);

my $update = @ARGV && $ARGV[0] eq '-update' && shift @ARGV;
my $dnnc = abs_path($ENV{DNNC} // 'build/dev/dnnc') // die "no compiler: set DNNC\n";
my $sources = abs_path($ENV{SOURCE_DIR} // '.');
my $bad = 0;

# The parameters of one document.
my ($document, $line, @result);
my %last;     # the example before: file, options, err, dump
my $examples; # how many were tried

sub complain {
	my ($what, $text) = @_;
	print "$document:$line: $what\n";
	print map {"    $_\n"} split /\n/, $text if defined $text;
	$bad = 1;
}

sub write_file {
	my ($name, $text) = @_;
	open my $out, '>:raw', $name or die "$name: $!\n";
	print $out $text;
	close $out or die "$name: $!\n";
}

sub read_file {
	my ($name) = @_;
	open my $in, '<:raw', $name or die "$name: $!\n";
	local $/;
	my $text = <$in>;
	close $in;
	return $text // '';
}

# Runs a command: exit code (or 256 and more for a signal), stdout, stderr.
sub run {
	my @command = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', 'out.txt' or die;
		open STDERR, '>', 'err.txt' or die;
		exec @command or exit 127;
	}
	waitpid $pid, 0;
	my $code = $? & 127 ? 256 + ($? & 127) : $? >> 8;
	return ($code, read_file('out.txt'), read_file('err.txt'));
}

# Compares what the document shows with what is printed; gives what the document should show.
sub compare {
	my ($what, $shown, $printed) = @_;
	return $printed if $update || $shown eq $printed;
	write_file('shown', $shown);
	write_file('printed', $printed);
	my (undef, $difference) = run('diff', '-u', '--label', 'in the document',
		'--label', 'from dnnc', 'shown', 'printed');
	complain("$what differs (test/doc_examples.pl -update writes it anew)", $difference);
	return $shown;
}

# ---- Examples ---------------------------------------------------------------------------------------------

# Lines of a body become a network; where it returns nothing, it returns its input.
sub network_of {
	my ($text) = @_;
	my $returns = $text =~ /^return /m;
	return "network example(x: f32[2, 3]) {\n$text" . ($returns ? "}\n" : "return x\n}\n");
}

sub try_example {
	my ($kind, $text, @words) = @_;
	my %is = map { $_ => 1 } @words;
	my @options = grep {/^-|=/} @words;
	my $file = "example.$kind";
	for my $word (grep { !/^-|=/ } @words) {
		complain("unknown word '$word' behind the fence")
			unless $word =~ /^(error|warning)$/ || ($word eq 'body' && $kind eq 'dnn');
	}
	push @options, '-w' if $is{body} && !$is{warning} && $text !~ /^return /m;
	push @options, '-hw', 'any.hw' if $kind eq 'map';
	write_file($file, $is{body} ? network_of($text) : $text);
	my $stage = $kind eq 'dnn' ? 'network' : $kind eq 'hw' ? 'machine' : 'tree';
	my ($code, $out, $err) = run($dnnc, $file, "-dump=$stage", @options);
	my $wanted = $is{error} ? 1 : 0;
	complain("this example ends with exit $code, not $wanted", $err) if $code != $wanted;
	complain('this example is not silent', $err)
		if $err ne '' && !$is{error} && !$is{warning} && $code == $wanted;
	complain('dnnc says nothing of this example') if $err eq '' && ($is{error} || $is{warning});
	%last = (
		file => $file, options => \@options, err => $err, dump => $out, kind => $kind,
		needs_text => $is{error} || $is{warning}, line => $line);
	$examples++;
}

# ---- Values -----------------------------------------------------------------------------------------------

my %packed = (
	f32 => ['<f4', 'f<'], f64 => ['<f8', 'd<'], i8 => ['|i1', 'c'],
	i16 => ['<i2', 's<'], i32 => ['<i4', 'l<'], i64 => ['<i8', 'q<']);

# An array as NumPy stores it.
sub npy {
	my ($type, $shape, @values) = @_;
	my ($descr, $letter) = @{$packed{$type} // ['?', 'C']};
	my $header = "{'descr': '$descr', 'fortran_order': False, 'shape': ($shape), }";
	$header .= ' ' x (63 - (10 + length $header) % 64) . "\n";
	return "\x93NUMPY\x01\x00" . pack('v', length $header) . $header . pack("($letter)*", @values);
}

# `x: f32[2, 3]` and its values, for each input; then the files in order.
sub inputs {
	my ($text) = @_;
	my (@file, $type, $shape, @values);
	my $finish = sub {
		return unless defined $type;
		push @file, 'input' . @file . '.npy';
		write_file($file[-1], npy($type, $shape, map { /^(nan|-?inf)$/ ? $_ * 1 : $_ } @values));
	};
	for my $row (split /\n/, $text) {
		if ($row =~ /^\w+: (\w+?)(?:\[(.*)\])?$/) {
			$finish->();
			($type, $shape, @values) = ($1, defined $2 ? "$2," : '');
			$shape =~ s/,$// if $shape =~ /,.*,$/;
		} else {
			push @values, split ' ', $row;
		}
	}
	$finish->();
	return @file;
}

sub try_run {
	my ($text, @options) = @_;
	my ($given, $shown) = $text =~ /^(.*?)^gives\n(.*)\z/ms;
	return complain("values without the line 'gives'") || $text unless defined $shown;
	my @command = ($dnnc, $last{file}, @{$last{options}}, @options, '-run', inputs($given));
	my ($code, $out, $err) = run(@command);
	complain("-run ends with exit $code", $err) if $code != 0;
	return "${given}gives\n" . compare('the output', $shown, $out);
}

# Each command with what it prints, output and errors together.
sub try_session {
	my ($text) = @_;
	my $anew = '';
	while ($text =~ /\G\$ (.*)\n((?:(?!\$ ).*\n)*)/gc) {
		my ($command, $shown) = ($1, $2);
		my (undef, $out) = run('bash', '-c', "exec 2>&1; $command");
		$anew .= "\$ $command\n" . compare("what '$command' prints", $shown, $out);
	}
	complain("a session begins with '\$ '") if (pos($text) // 0) < length $text;
	return $anew;
}

# ---- The grammar -------------------------------------------------------------------------------------------

sub try_grammar {
	my ($text) = @_;
	my (%defined, %used, %word, %known);
	for my $rule (split /^(?=\w+ *=)/m, $text) {
		my ($name, $body) = $rule =~ /^(\w+) *= *(.*?)\s*\z/s;
		next unless defined $name;
		$defined{$name} = 1;
		$body =~ s/\(\*.*?\*\)//gs;
		$word{$1} = 1 while $body =~ s/"([^"]+)"/ /;
		$used{$_} = 1 for $body =~ /[a-z_]+/g;
	}
	complain("rule '$_' is used and not defined") for sort grep { !$defined{$_} } keys %used;
	complain("rule '$_' is not used") for sort grep { !$used{$_} && $_ ne 'file' } keys %defined;
	my $parser = read_file("$sources/frontend/syntax/parser.y");
	for my $declaration ($parser =~ /^%token (.*)$/mg) {
		$known{$_} = 1 for $declaration =~ /"'(\S+?)'"/g;
	}
	my ($rules) = $parser =~ /^%%\n(.*?)^%%\n/ms;
	$rules =~ s{/\*.*?\*/}{}gs;
	$known{$_} = 1 for $rules =~ /(?<![\w"])'(\S)'/g;
	complain("'$_' is no word of parser.y") for sort grep { !$known{$_} } keys %word;
	complain("'$_' of parser.y is not in this grammar") for sort grep { !$word{$_} } keys %known;
	return $text;
}

# ---- A document -------------------------------------------------------------------------------------------

sub try_block {
	my ($info, $text) = @_;
	my ($kind, @words) = split ' ', $info;
	$kind //= '';
	if ($kind eq 'text') {
		return complain('a text stands behind an example with an error or a warning') || $text
			unless $last{needs_text};
		$last{needs_text} = 0;
		return compare('what dnnc says', $text, $last{err});
	}
	if ($last{needs_text}) {
		$last{needs_text} = 0;
		complain("the example of line $last{line} is not followed by a text: what dnnc says");
	}
	if ($kind eq 'dnn' && @words == 2 && $words[0] eq 'file') {
		write_file($words[1], $text);
	} elsif ($kind =~ /^(dnn|hw|map)$/) {
		try_example($kind, $text, @words);
	} elsif ($kind eq 'network') {
		return compare('the network', $text, $last{dump} // '');
	} elsif ($kind eq 'run') {
		return try_run($text, @words);
	} elsif ($kind eq 'sh') {
		return try_session($text);
	} elsif ($kind eq 'picture') {
		return $text;
	} elsif ($kind eq 'ebnf') {
		return try_grammar($text);
	} else {
		complain("unknown kind of example '$info'");
	}
	return $text;
}

sub try_document {
	my ($path) = @_;
	my $text = read_file($path);
	my ($anew, $rest, $number) = ('', $text, 1);
	($document, $line, $examples, %last) = ($path, 1, 0);
	while ($rest =~ s/\A(.*?)^```([^\n]*)\n(.*?)^```\n//ms) {
		my ($before, $info, $inside) = ($1, $2, $3);
		$line = $number + ($before =~ tr/\n//);
		$number = $line + 2 + ($inside =~ tr/\n//);
		$anew .= "$before```$info\n" . try_block($info, $inside) . "```\n";
	}
	complain('a fence is not closed') if $rest =~ /^```/m;
	complain('the last example lacks its text: what dnnc says') if $last{needs_text};
	complain('this document has no examples') if $examples == 0;
	return $update && $anew . $rest ne $text ? $anew . $rest : undef;
}

die "usage: doc_examples.pl [-update] FILE.md ...\n" unless @ARGV;
my @documents = map { abs_path($_) // die "$_: $!\n" } @ARGV;
my $folder = tempdir(CLEANUP => 1);
chdir $folder or die "$folder: $!\n";
symlink $dnnc, 'dnnc' or die "dnnc: $!\n";
$ENV{PATH} = "$folder:$ENV{PATH}";
$ENV{NO_COLOR} = 1;
write_file('any.hw', "cpu any { native }\n");
for my $path (@documents) {
	my $anew = try_document($path);
	write_file($path, $anew) if defined $anew;
	print "$path: $examples examples\n";
}
chdir '/';
exit $bad;
